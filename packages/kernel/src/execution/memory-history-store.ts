import type { HistoryEntry, HistorySearch, HistoryStore } from './history-store.ts'

/** A history that ends with the process: for embedded kernels and tests. */
export class MemoryHistoryStore implements HistoryStore {
  readonly #entries: HistoryEntry[] = []
  #session = 0

  async openSession(): Promise<number> {
    return ++this.#session
  }

  append(entry: HistoryEntry): void {
    this.#entries.push({ ...entry })
  }

  setOutput(session: number, line: number, output: string): void {
    const entry = this.#entries.findLast((candidate) => candidate.session === session && candidate.line === line)
    if (entry) entry.output = output
  }

  async range(session: number, start: number, stop: number = Number.POSITIVE_INFINITY): Promise<HistoryEntry[]> {
    return this.#entries.filter((entry) => entry.session === session && entry.line >= start && entry.line < stop)
  }

  async tail(count: number): Promise<HistoryEntry[]> {
    return count > 0 ? this.#entries.slice(-count) : []
  }

  async search({ pattern, limit, unique }: HistorySearch): Promise<HistoryEntry[]> {
    const matches = globMatcher(pattern)
    const newestFirst: HistoryEntry[] = []
    const seen = new Set<string>()
    for (const entry of this.#entries.toReversed()) {
      if (limit !== undefined && newestFirst.length >= limit) break
      if (!matches(entry.source) || (unique && seen.has(entry.source))) continue
      seen.add(entry.source)
      newestFirst.push(entry)
    }
    return newestFirst.reverse()
  }

  async close(): Promise<void> {}
}

/** SQLite's GLOB over the whole text: `*` any run, `?` one character, `[…]` one of a set, `[^…]` one outside it. */
function globMatcher(pattern: string): (text: string) => boolean {
  let source = ''
  for (let at = 0; at < pattern.length; at++) {
    const character = pattern[at] as string
    const close = character === '[' ? pattern.indexOf(']', pattern[at + 1] === '^' ? at + 3 : at + 2) : -1
    if (character === '*') source += '[^]*'
    else if (character === '?') source += '[^]'
    else if (close > 0) {
      const negated = pattern[at + 1] === '^'
      const set = pattern.slice(at + (negated ? 2 : 1), close).replace(/[\\\]^]/g, '\\$&')
      source += `[${negated ? '^' : ''}${set}]`
      at = close
    } else source += character.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')
  }
  const expression = new RegExp(`^${source}$`)
  return (text) => expression.test(text)
}
