import type { Execution } from './execution.ts'

/** Runs in fresh namespaces: side by side up to a limit, further ones in the order they came. */
export class ConcurrentRuns {
  readonly #run: (execution: Execution) => Promise<void>
  readonly #limit: number
  readonly #running = new Set<Execution>()
  #waiting: Execution[] = []

  constructor(run: (execution: Execution) => Promise<void>, limit: number) {
    this.#run = run
    this.#limit = limit
  }

  get running(): ReadonlySet<Execution> {
    return this.#running
  }

  get waiting(): readonly Execution[] {
    return this.#waiting
  }

  push(execution: Execution): void {
    if (this.#running.size >= this.#limit) this.#waiting.push(execution)
    else void this.#work(execution)
  }

  remove(match: (execution: Execution) => boolean): Execution[] {
    const removed = this.#waiting.filter(match)
    if (removed.length > 0) this.#waiting = this.#waiting.filter((execution) => !match(execution))
    return removed
  }

  async #work(execution: Execution): Promise<void> {
    this.#running.add(execution)
    await this.#run(execution)
    this.#running.delete(execution)
    const next = this.#waiting.shift()
    if (next) void this.#work(next)
  }
}
