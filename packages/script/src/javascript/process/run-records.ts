import type { Prepared } from '../source/prepare.ts'
import type { Execute } from '../wire.ts'

/** What the guard remembers of an execution, so that a debugger that comes later can tell where its functions are from. */
export interface RunRecord {
  readonly n: number
  /** Name in V8. */
  readonly url: string
  readonly source: string
  /** What debuggers call it. */
  readonly debugSource: string
  /** As written. */
  readonly code: string
  readonly prepared: Exclude<Prepared, { error: unknown }>
}

const RECORDS_MAX = 5000
const UNITS_MAX = 16 * 1024 * 1024

export class RunRecords {
  readonly #records = new Map<number, RunRecord>()
  #units = 0

  add({ n, source, debugSource, code }: Execute, url: string, prepared: RunRecord['prepared']): void {
    this.#records.set(n, { n, url, source, debugSource: debugSource ?? source, code, prepared })
    this.#units += code.length + prepared.code.length
    for (const old of this.#records.values()) {
      if (this.#records.size <= RECORDS_MAX && this.#units <= UNITS_MAX) break
      if (old.n === n) break
      this.#records.delete(old.n)
      this.#units -= old.code.length + old.prepared.code.length
    }
  }

  get(n: number): RunRecord | undefined {
    return this.#records.get(n)
  }

  /** Those that ran under that name in V8, latest first. */
  named(url: string): RunRecord[] {
    return [...this.#records.values()].filter((record) => record.url === url).reverse()
  }
}
