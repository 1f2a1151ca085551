import type { Outcome } from '../wire.ts'

/** One execution in the script thread, as long as anything of it lives. */
export class Cell {
  readonly n: number
  /** Its name for people; for files their path. */
  readonly source: string
  readonly wantResult: boolean
  readonly args: readonly string[]
  /** It ends only when nothing is left that could act. */
  readonly drain: boolean
  /** Output counts as that of this execution. */
  readonly owner: number
  /** It has been answered. */
  done = false
  /** It was stopped: what is left of it must not act any more. */
  cancelled = false
  /** Its code has ended; waits for what it has started. */
  drained: Outcome | undefined
  /** Timers set while it ran. */
  #timers: Set<object> | undefined
  #pruneAt = 1000

  constructor(options: {
    n: number
    source: string
    wantResult: boolean
    args?: readonly string[] | undefined
    drain?: boolean | undefined
    owner?: number | undefined
  }) {
    this.n = options.n
    this.source = options.source
    this.wantResult = options.wantResult
    this.args = options.args ?? []
    this.drain = options.drain ?? false
    this.owner = options.owner ?? options.n
  }

  addTimer(timer: object): void {
    this.#timers ??= new Set()
    this.#timers.add(timer)
    if (this.#timers.size < this.#pruneAt) return
    for (const one of this.#timers) if ((one as { _destroyed?: boolean })._destroyed) this.#timers.delete(one)
    this.#pruneAt = Math.max(1000, 2 * this.#timers.size)
  }

  finish(): void {
    this.done = true
    if (!this.cancelled) this.#timers = undefined
  }

  /** Ends what it has waiting. */
  cancel(): void {
    this.cancelled = true
    for (const timer of this.#timers ?? []) {
      clearTimeout(timer as NodeJS.Timeout)
      clearImmediate(timer as NodeJS.Immediate)
    }
    this.#timers = undefined
  }
}

/** What the leftovers of a stopped execution get when they try to act. */
export class Interrupted extends Error {
  constructor() {
    super('execution was interrupted')
    this.name = 'Interrupted'
  }
}
