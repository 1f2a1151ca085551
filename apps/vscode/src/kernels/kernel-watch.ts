import { type FSWatcher, watch } from 'node:fs'

/** Milliseconds after which several changes are one. */
const SETTLE_MS = 200
/** Milliseconds between two tries to watch a directory that is not there yet. */
const RETRY_MS = 5_000

/**
 * Tells when kernels come and go: their files in the runtime directory do. The directory appears with the first kernel, and may vanish.
 */
export class KernelWatch {
  readonly #directory: string
  readonly #changed: () => void
  #watcher: FSWatcher | undefined
  #retry: NodeJS.Timeout | undefined
  #settle: NodeJS.Timeout | undefined
  #disposed = false

  constructor(directory: string, changed: () => void) {
    this.#directory = directory
    this.#changed = changed
    this.#start(false)
  }

  dispose(): void {
    this.#disposed = true
    this.#watcher?.close()
    clearTimeout(this.#retry)
    clearTimeout(this.#settle)
  }

  #start(appeared: boolean): void {
    if (this.#disposed) return
    try {
      this.#watcher = watch(this.#directory, { persistent: false }, (_, name) => {
        // Sockets and locks come and go without a kernel doing so.
        if (name === null || name.endsWith('.json')) this.#tell()
      })
      this.#watcher.on('error', () => this.#again())
      if (appeared) this.#tell()
    } catch {
      this.#again()
    }
  }

  #again(): void {
    this.#watcher?.close()
    this.#watcher = undefined
    this.#retry = setTimeout(() => this.#start(true), RETRY_MS)
    this.#retry.unref()
  }

  #tell(): void {
    clearTimeout(this.#settle)
    this.#settle = setTimeout(this.#changed, SETTLE_MS)
  }
}
