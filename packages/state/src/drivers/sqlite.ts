import type { StateDriver, StateEntry } from '../driver.ts'
import { versionConflict } from '../version-conflict.ts'
import { type Durability, openDatabase } from './database.ts'

const MIGRATIONS = [
  `CREATE TABLE entry (
     scope      TEXT NOT NULL,
     key        TEXT NOT NULL,
     value      TEXT NOT NULL,
     version    INTEGER NOT NULL,
     updated_at INTEGER NOT NULL,
     PRIMARY KEY (scope, key)
   ) STRICT`,
]

const COLUMNS = 'scope, key, value, version, updated_at AS updatedAt'

export interface SqliteDriverOptions {
  file: string
  durability?: Durability
  /** Milliseconds to wait for another process that writes. Default 5000. */
  busyTimeout?: number
  now?: () => number
}

/** Durable state in one SQLite file that several kernels may share. Errors: see `openDatabase`. */
export function createSqliteDriver({ now = Date.now, ...options }: SqliteDriverOptions): StateDriver {
  const database = openDatabase({ ...options, applicationId: 'LSst', migrations: MIGRATIONS })
  const { sqlite, run } = database
  const get = sqlite.prepare<[string, string], StateEntry>(`SELECT ${COLUMNS} FROM entry WHERE scope = ? AND key = ?`)
  const upsert = sqlite.prepare<[string, string, string, number], StateEntry>(
    `INSERT INTO entry VALUES (?, ?, ?, 1, ?) ON CONFLICT DO UPDATE
       SET value = excluded.value, version = version + 1, updated_at = excluded.updated_at RETURNING ${COLUMNS}`,
  )
  const insert = sqlite.prepare<[string, string, string, number], StateEntry>(
    `INSERT INTO entry VALUES (?, ?, ?, 1, ?) ON CONFLICT DO NOTHING RETURNING ${COLUMNS}`,
  )
  const update = sqlite.prepare<[string, number, string, string, number], StateEntry>(
    `UPDATE entry SET value = ?, version = version + 1, updated_at = ? WHERE scope = ? AND key = ? AND version = ? RETURNING ${COLUMNS}`,
  )
  const remove = sqlite.prepare<[string, string]>('DELETE FROM entry WHERE scope = ? AND key = ?')
  const RANGE = 'FROM entry WHERE scope = ? AND key >= ? AND key < ? ORDER BY key LIMIT ?'
  const scan = sqlite.prepare<[string, string, string | Uint8Array, number], StateEntry>(`SELECT ${COLUMNS} ${RANGE}`)
  const keys = sqlite.prepare<[string, string, string | Uint8Array, number], string>(`SELECT key ${RANGE}`).pluck()
  const scopes = sqlite.prepare<[], string>('SELECT DISTINCT scope FROM entry ORDER BY scope').pluck()

  return {
    get: (scope, key) => run(() => get.get(scope, key)),
    put: (scope, key, value, expectedVersion) =>
      run(() => {
        if (expectedVersion === undefined) return first(upsert.all(scope, key, value, now())) as StateEntry
        const written = first(
          expectedVersion === 0 ? insert.all(scope, key, value, now()) : update.all(value, now(), scope, key, expectedVersion),
        )
        if (written === undefined) throw versionConflict(scope, key, expectedVersion, get.get(scope, key)?.version ?? 0)
        return written
      }),
    delete: (scope, key) => run(() => remove.run(scope, key).changes > 0),
    scan: (scope, prefix, limit) => run(() => scan.all(scope, prefix, after(prefix), limit ?? -1)),
    keys: (scope, prefix, limit) => run(() => keys.all(scope, prefix, after(prefix), limit ?? -1)),
    scopes: () => run(() => scopes.all()),
    transaction: (statements) => database.transaction(statements),
    close: () => database.close(),
  }
}

/**
 * The row that a write returns. `get` would stop at the row: the write is committed after it, and that this failed (a full disk)
 * would go unheard.
 */
function first<T>(rows: readonly T[]): T | undefined {
  return rows[0]
}

/** SQLite sorts every blob behind every text. */
const BEHIND_ALL_TEXT = new Uint8Array(0)

/** The least value above all text that starts with `prefix`. */
function after(prefix: string): string | Uint8Array {
  const points = Array.from(prefix, (character) => character.codePointAt(0) as number)
  while (points.length > 0) {
    const last = points.pop() as number
    if (last === 0x10ffff) continue
    // U+D800 to U+DFFF are no characters.
    points.push(last === 0xd7ff ? 0xe000 : last + 1)
    return String.fromCodePoint(...points)
  }
  return BEHIND_ALL_TEXT
}
