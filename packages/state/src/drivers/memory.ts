import { LlmspellError } from '@llmspell/base'
import type { StateDriver, StateEntry } from '../driver.ts'
import { refuseAsync } from '../refuse-async.ts'
import { versionConflict } from '../version-conflict.ts'

/** State that ends with the process: for tests, embedding, and `state.driver = "memory"`. */
export function createMemoryDriver(now: () => number = Date.now): StateDriver {
  const scopes = new Map<string, Map<string, StateEntry>>()
  /** How to take back each write of the running transaction, newest last. */
  let undo: (() => void)[] | undefined
  let closed = false

  function open(): void {
    if (closed) throw new LlmspellError('the state store is closed', { code: 'state.closed' })
  }

  function write(scope: string, key: string, entry: StateEntry | undefined): void {
    let entries = scopes.get(scope)
    const before = entries?.get(key)
    undo?.push(() => write(scope, key, before))
    if (entry === undefined) {
      entries?.delete(key)
      if (entries?.size === 0) scopes.delete(scope)
      return
    }
    if (entries === undefined) {
      entries = new Map()
      scopes.set(scope, entries)
    }
    entries.set(key, entry)
  }

  function matching(scope: string, prefix: string, limit: number | undefined): StateEntry[] {
    const found = [...(scopes.get(scope)?.values() ?? [])].filter((entry) => entry.key.startsWith(prefix))
    return found.sort((a, b) => byCodePoint(a.key, b.key)).slice(0, limit)
  }

  return {
    get(scope, key) {
      open()
      return scopes.get(scope)?.get(key)
    },
    put(scope, key, value, expectedVersion) {
      open()
      const found = scopes.get(scope)?.get(key)?.version ?? 0
      if (expectedVersion !== undefined && expectedVersion !== found) throw versionConflict(scope, key, expectedVersion, found)
      const entry: StateEntry = { scope, key, value, version: found + 1, updatedAt: now() }
      write(scope, key, entry)
      return entry
    },
    delete(scope, key) {
      open()
      const existed = scopes.get(scope)?.has(key) ?? false
      if (existed) write(scope, key, undefined)
      return existed
    },
    scan(scope, prefix, limit) {
      open()
      return matching(scope, prefix, limit)
    },
    keys(scope, prefix, limit) {
      open()
      return matching(scope, prefix, limit).map((entry) => entry.key)
    },
    scopes() {
      open()
      return [...scopes.keys()].sort(byCodePoint)
    },
    transaction(run) {
      open()
      const outer = undo
      const own: (() => void)[] = []
      undo = own
      try {
        const result = refuseAsync(run())
        outer?.push(...own)
        return result
      } catch (error) {
        undo = undefined
        for (const step of own.reverse()) step()
        throw error
      } finally {
        undo = outer
      }
    },
    close() {
      closed = true
      scopes.clear()
    },
  }
}

function byCodePoint(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}
