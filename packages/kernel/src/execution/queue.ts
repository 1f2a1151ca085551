import type { Execution } from './execution.ts'

/** The shared namespace's line: one execution runs, the rest wait in the order they came, whoever sent them. */
export class ExecutionQueue {
  readonly #run: (execution: Execution) => Promise<void>
  #waiting: Execution[] = []
  #running: Execution | undefined

  constructor(run: (execution: Execution) => Promise<void>) {
    this.#run = run
  }

  get running(): Execution | undefined {
    return this.#running
  }

  get waiting(): readonly Execution[] {
    return this.#waiting
  }

  push(execution: Execution): void {
    if (this.#running) this.#waiting.push(execution)
    else void this.#work(execution)
  }

  /** Takes out what waits and matches. */
  remove(match: (execution: Execution) => boolean): Execution[] {
    const removed = this.#waiting.filter(match)
    if (removed.length > 0) this.#waiting = this.#waiting.filter((execution) => !match(execution))
    return removed
  }

  async #work(first: Execution): Promise<void> {
    for (let next: Execution | undefined = first; next; next = this.#waiting.shift()) {
      this.#running = next
      await this.#run(next)
    }
    this.#running = undefined
  }
}
