import type { Execution } from './execution.ts'

export interface ExecutionQueueOptions {
  /** Never rejects. */
  run(execution: Execution): Promise<void>
  /** A debugger holds it: it may stand still for ever. */
  isHeld(execution: Execution): boolean
  /** What runs it: two of different engines cannot be in each other's way. */
  engineOf(execution: Execution): unknown
}

/**
 * The shared namespaces' line: one execution runs, the rest wait in the order they came, whoever sent them. Only while a debugger holds
 * the one that runs do other clients' executions in other engines go past it; the order of each client and of each engine stays.
 */
export class ExecutionQueue {
  readonly #options: ExecutionQueueOptions
  #waiting: Execution[] = []
  readonly #running = new Set<Execution>()

  constructor(options: ExecutionQueueOptions) {
    this.#options = options
  }

  get running(): ReadonlySet<Execution> {
    return this.#running
  }

  push(execution: Execution): void {
    this.#waiting.push(execution)
    this.advance()
  }

  /** Takes out what waits and matches. */
  remove(match: (execution: Execution) => boolean): Execution[] {
    const removed = this.#waiting.filter(match)
    if (removed.length > 0) this.#waiting = this.#waiting.filter((execution) => !match(execution))
    return removed
  }

  /** Starts what may start now. To be called when an execution came to be held, too. */
  advance(): void {
    if (this.#running.size === 0) {
      const first = this.#waiting.shift()
      if (first) void this.#work(first)
    }
    if (this.#waiting.length > 0 && [...this.#running].every((execution) => this.#options.isHeld(execution))) this.#pass()
  }

  #pass(): void {
    const { engineOf } = this.#options
    const inFront = [...this.#running]
    const next = this.#waiting.find((execution) => {
      const free = inFront.every((other) => other.session !== execution.session && engineOf(other) !== engineOf(execution))
      inFront.push(execution)
      return free
    })
    if (!next) return
    this.#waiting = this.#waiting.filter((execution) => execution !== next)
    void this.#work(next)
  }

  async #work(execution: Execution): Promise<void> {
    this.#running.add(execution)
    await this.#options.run(execution)
    this.#running.delete(execution)
    this.advance()
  }
}
