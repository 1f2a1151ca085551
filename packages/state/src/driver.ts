/** A stored value: JSON text with a version that grows by one with each write of the key. */
export interface StateEntry {
  scope: string
  key: string
  /** JSON text. */
  value: string
  version: number
  /** Milliseconds since the epoch. */
  updatedAt: number
}

/**
 * Where state lives. Synchronous on purpose: every driver of this layer answers in microseconds, and a write that returned
 * is durable (it survives `kill -9`). Failures are `LlmspellError`s with a code `state.…`.
 * Contract suite: `@llmspell/state/testing` `describeStateDriver`.
 */
export interface StateDriver {
  get(scope: string, key: string): StateEntry | undefined
  /**
   * Writes; with `expectedVersion` only if the key is at that version (0: must not exist), otherwise throws
   * code `state.version_conflict` with the found version.
   */
  put(scope: string, key: string, value: string, expectedVersion?: number): StateEntry
  /** True when something was deleted. */
  delete(scope: string, key: string): boolean
  /** Entries of a scope whose key starts with `prefix`, sorted by code points, at most `limit`. */
  scan(scope: string, prefix: string, limit?: number): StateEntry[]
  /** As `scan`, the keys alone: values are not read. */
  keys(scope: string, prefix: string, limit?: number): string[]
  /** Scopes that hold at least one key, sorted. */
  scopes(): string[]
  /** All writes in `run` become visible and durable together, or none when it throws. May be nested; `run` must not be async. */
  transaction<T>(run: () => T): T
  /** Further calls throw code `state.closed`. Idempotent. */
  close(): void
}
