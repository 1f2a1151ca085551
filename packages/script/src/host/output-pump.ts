import type { EngineHost, EngineOutput } from '../engine.ts'
import type { OutputItem } from './output-buffer.ts'

interface Batch {
  executionId: string
  items: OutputItem[]
  taken: () => void
}

/**
 * Hands batches of output to the host, one after the other: while the host has not taken one, the next waits and the
 * script's thread is not told that it may go on.
 */
export class OutputPump {
  readonly #host: Pick<EngineHost, 'output'>
  readonly #queue: Batch[] = []
  #pumping: Promise<void> | undefined

  constructor(host: Pick<EngineHost, 'output'>) {
    this.#host = host
  }

  /** `taken` is called after the host has taken the whole batch. */
  push(executionId: string, items: OutputItem[], taken: () => void): void {
    const batch = { executionId, items, taken }
    if (this.#pumping) {
      this.#queue.push(batch)
      return
    }
    const waiting = this.#deliver(batch, 0)
    if (waiting) this.#pumping = this.#pump(waiting)
  }

  /** Resolves when the host has taken everything pushed so far; undefined when it already has. */
  drained(): Promise<void> | undefined {
    return this.#pumping
  }

  /** Synchronous as long as the host is. A host that fails has taken what it was given. */
  #deliver(batch: Batch, from: number): Promise<void> | undefined {
    for (let index = from; index < batch.items.length; index++) {
      const wait = this.#output({ executionId: batch.executionId, ...batch.items[index] } as EngineOutput)
      if (!(wait instanceof Promise)) continue
      const next = (): Promise<void> | undefined => this.#deliver(batch, index + 1)
      return wait.then(next, next)
    }
    batch.taken()
    return undefined
  }

  #output(output: EngineOutput): void | Promise<void> {
    try {
      return this.#host.output(output)
    } catch {
      return undefined
    }
  }

  async #pump(first: Promise<void>): Promise<void> {
    await first
    for (let batch = this.#queue.shift(); batch; batch = this.#queue.shift()) await this.#deliver(batch, 0)
    this.#pumping = undefined
  }
}
