/** One executed cell. `line` is its execution count, `session` the run of a kernel it belongs to (1, 2, 3…). */
export interface HistoryEntry {
  session: number
  line: number
  source: string
  /** text/plain of the result, when there was one. */
  output?: string
}

export interface HistorySearch {
  /** Glob as in SQLite and IPython: `*`, `?`, `[…]`; matches the whole input. */
  pattern: string
  /** Newest matches only; default all. */
  limit?: number
  /** Equal inputs once, the newest. */
  unique?: boolean
}

/**
 * Where inputs are kept, over restarts of the kernel. The kernel calls the writing methods on its reply path: they must return
 * at once, may write later, and never throw. Reads see every write made before them and answer oldest first.
 */
export interface HistoryStore {
  /** Begins a session and gives its number, one above the last. Called at start, before anything else, and at each restart. */
  openSession(): Promise<number>
  append(entry: HistoryEntry): void
  /** Adds the output of an entry that was appended before. */
  setOutput(session: number, line: number, output: string): void
  /** Lines `start` (inclusive) to `stop` (exclusive; undefined: to the end) of a session. */
  range(session: number, start: number, stop: number | undefined): Promise<HistoryEntry[]>
  /** The last `count` entries of all sessions. */
  tail(count: number): Promise<HistoryEntry[]>
  search(query: HistorySearch): Promise<HistoryEntry[]>
  /** Writes what is pending. */
  close(): Promise<void>
}
