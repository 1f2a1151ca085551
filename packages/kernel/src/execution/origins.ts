import type { Header, Peer } from '@llmspell/jupyter'
import type { StreamBuffer } from '../iopub/stream-buffer.ts'
import type { Execution } from './execution.ts'

/** The request that output, host calls and prompts of running or finished code belong to. */
export interface Origin {
  /** `undefined` when the request is no longer known. */
  readonly header: Header | undefined
  readonly peer: Peer
  /** Nothing it prints is published. */
  readonly silent: boolean
  readonly stream: StreamBuffer
  /** While it runs; what a comm message made a script do has none. */
  execution: Execution | undefined
  /** The request was answered: what comes now is late. */
  ended: boolean
  /** What was not published because no subscriber took it. */
  dropped: number
}

/** Finished executions remembered for their late output. One that still speaks is kept. */
const REMEMBERED = 4096

/** Finds the origin of an execution id, also long after its request was answered. */
export class Origins {
  readonly #live = new Map<string, Origin>()
  /** In order of last use. */
  readonly #ended = new Map<string, Origin>()

  add(id: string, origin: Origin): void {
    this.#live.set(id, origin)
  }

  /** The id, or, while something else runs under it, another one made of it. */
  unused(id: string): string {
    let free = id
    for (let n = 2; this.#live.has(free); n++) free = `${id}#${n}`
    return free
  }

  get(id: string): Origin | undefined {
    const live = this.#live.get(id)
    if (live) return live
    const ended = this.#ended.get(id)
    if (ended) {
      this.#ended.delete(id)
      this.#ended.set(id, ended)
    }
    return ended
  }

  end(id: string): void {
    const origin = this.#live.get(id)
    if (!origin) return
    this.#live.delete(id)
    origin.ended = true
    // A header is remembered, not the code.
    origin.execution = undefined
    this.#ended.set(id, origin)
    if (this.#ended.size > REMEMBERED) this.#ended.delete(this.#ended.keys().next().value as string)
  }

  /** For executions whose engine is gone: nothing late can come. */
  forget(id: string): void {
    this.#live.delete(id)
    this.#ended.delete(id)
  }

  /** What running code has printed leaves now. */
  flush(): void {
    for (const origin of this.#live.values()) origin.stream.flush()
  }

  clear(): void {
    this.#live.clear()
    this.#ended.clear()
  }
}
