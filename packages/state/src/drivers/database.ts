import { closeSync, openSync } from 'node:fs'
import { dirname } from 'node:path'
import { codeOf, LlmspellError, messageOf } from '@llmspell/base'
import { makeDirectory } from '@llmspell/base/make-directory'
import Database from 'better-sqlite3'
import { refuseAsync } from '../refuse-async.ts'

export type Sqlite = Database.Database

/**
 * What a write that returned survives. `normal`: the death of the process in any way, `kill -9` included, because the
 * write-ahead log is then in the system's page cache; a power cut may lose the last moments, but never damages the file.
 * `full`: a power cut too, at the price of one fsync (milliseconds) a write.
 */
export type Durability = 'normal' | 'full'

export interface DatabaseOptions {
  file: string
  /** Four ASCII characters in the file's header that tell our kinds of files from each other and from foreign ones. */
  applicationId: string
  /** SQL that leads from schema `index` to `index + 1`. Append only: stores with any earlier schema are out there. */
  migrations: readonly string[]
  /** Default `normal`. */
  durability?: Durability
  /** Milliseconds to wait for another process that writes. Default 5000. */
  busyTimeout?: number
}

/** An open SQLite file with the error translation of its name. One per process and file; never share over threads. */
export interface OpenedDatabase {
  readonly file: string
  readonly sqlite: Sqlite
  /** Runs a few short statements; SQLite's errors become `LlmspellError`s that name the file and what to do. */
  run<T>(statements: () => T): T
  /** The same within one transaction that takes the write lock at its start; nested ones become savepoints. */
  transaction<T>(statements: () => T): T
  close(): void
}

const BUSY_TIMEOUT_MS = 5000
/** The write-ahead log is cut back to this after a checkpoint; without it the file keeps its largest size for ever. */
const WAL_LIMIT_BYTES = 16 * 1024 * 1024

/**
 * Opens or creates the file (0600) in WAL mode, which several processes may use at once, and brings its schema up to date
 * after a backup. Throws `state.newer_schema` for a file of a later version, `state.foreign_file`, `state.corrupt`, `state.unusable`,
 * `state.disk_full`, `state.busy`.
 */
export function openDatabase(options: DatabaseOptions): OpenedDatabase {
  const { file } = options
  const busyTimeout = options.busyTimeout ?? BUSY_TIMEOUT_MS
  let sqlite: Sqlite | undefined
  try {
    makeDirectory(dirname(file), 0o700)
    // SQLite gives its -wal and -shm files the mode of the main file, so this decides for all three.
    closeSync(openSync(file, 'a', 0o600))
    sqlite = new Database(file, { timeout: busyTimeout })
    configure(sqlite, options.durability ?? 'normal', busyTimeout)
    migrate(sqlite, options)
  } catch (error) {
    sqlite?.close()
    throw translate(error, file)
  }
  return opened(sqlite, file)
}

function opened(sqlite: Sqlite, file: string): OpenedDatabase {
  const transact = sqlite.transaction((statements: () => unknown) => refuseAsync(statements()))
  const run = <T>(statements: () => T): T => {
    try {
      return statements()
    } catch (error) {
      throw translate(error, file, sqlite)
    }
  }
  return {
    file,
    sqlite,
    run,
    transaction: <T>(statements: () => T): T => run(() => transact.immediate(statements) as T),
    close: () => {
      sqlite.close()
    },
  }
}

function configure(sqlite: Sqlite, durability: Durability, busyTimeout: number): void {
  // The constructor's option was ignored by some releases; what counts is what the connection says.
  sqlite.pragma(`busy_timeout = ${busyTimeout}`)
  if (sqlite.pragma('busy_timeout', { simple: true }) !== busyTimeout) throw new Error('SQLite did not take the busy time-out')
  whileBusy(busyTimeout, () => sqlite.pragma('journal_mode = WAL'))
  sqlite.pragma(`synchronous = ${durability === 'full' ? 'FULL' : 'NORMAL'}`)
  sqlite.pragma(`journal_size_limit = ${WAL_LIMIT_BYTES}`)
  sqlite.pragma('cell_size_check = ON')
  sqlite.pragma('trusted_schema = OFF')
}

/** The switch to WAL needs the file alone and does not heed the busy time-out: two processes that create it at once would meet here. */
function whileBusy(timeoutMs: number, attempt: () => void): void {
  const deadline = performance.now() + timeoutMs
  for (;;) {
    try {
      attempt()
      return
    } catch (error) {
      if (!codeOf(error)?.startsWith('SQLITE_BUSY') || performance.now() > deadline) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
    }
  }
}

function migrate(sqlite: Sqlite, { file, applicationId, migrations }: DatabaseOptions): void {
  const wanted = migrations.length
  const before = schemaVersion(sqlite)
  if (before === wanted && number(sqlite, 'application_id') === encodeId(applicationId)) return
  checkOurs(sqlite, file, applicationId)
  if (before > wanted) {
    throw new LlmspellError(`${file} was written by a newer llmspell (schema ${before}, this one knows up to ${wanted})`, {
      code: 'state.newer_schema',
      data: { file, found: before, known: wanted },
      hint: 'Update llmspell, or set LLMSPELL_HOME to keep a separate store for this version.',
    })
  }
  if (before > 0) backUp(sqlite, file, before)
  sqlite
    .transaction(() => {
      // Another process may have done it while this one waited for the lock.
      for (let version = schemaVersion(sqlite); version < wanted; version++) sqlite.exec(migrations[version] as string)
      sqlite.pragma(`application_id = ${encodeId(applicationId)}`)
      sqlite.pragma(`user_version = ${wanted}`)
    })
    .immediate()
}

function checkOurs(sqlite: Sqlite, file: string, applicationId: string): void {
  const empty = sqlite.prepare('SELECT count(*) AS n FROM sqlite_schema').pluck().get() === 0
  const id = number(sqlite, 'application_id')
  if (id === encodeId(applicationId) || (empty && id === 0)) return
  throw new LlmspellError(`${file} is a database of another program or purpose`, {
    code: 'state.foreign_file',
    data: { file },
    hint: 'Point the configuration at a file of its own; this one was left as it is.',
  })
}

function backUp(sqlite: Sqlite, file: string, version: number): void {
  const stamp = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '')
  const backup = `${file}.schema${version}-${stamp}-${process.pid}.bak`
  // SQLite takes an empty file for one to write, and leaves its mode.
  closeSync(openSync(backup, 'wx', 0o600))
  sqlite.prepare('VACUUM INTO ?').run(backup)
}

function schemaVersion(sqlite: Sqlite): number {
  return number(sqlite, 'user_version')
}

function number(sqlite: Sqlite, pragma: string): number {
  return sqlite.pragma(pragma, { simple: true }) as number
}

function encodeId(id: string): number {
  return Buffer.from(id, 'latin1').readInt32BE(0)
}

/** https://www.sqlite.org/rescode.html */
function translate(error: unknown, file: string, sqlite?: Sqlite): unknown {
  if (LlmspellError.is(error)) return error
  const code = codeOf(error) ?? ''
  const make = (name: string, what: string, hint: string): LlmspellError =>
    new LlmspellError(`${what} (${messageOf(error)})`, { code: `state.${name}`, data: { file, sqlite: code }, cause: error, hint })
  if (sqlite?.open === false) return make('closed', `the store ${file} is closed`, 'The kernel is stopping; start a new one.')
  if (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB')
    return make(
      'corrupt',
      `the store ${file} is damaged`,
      `Move it (and ${file}-wal, ${file}-shm) aside to begin an empty one; "sqlite3 FILE .recover" may save what is readable.`,
    )
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED'))
    return make('busy', `the store ${file} is held by another process`, 'Try again; if it stays so, find the process that holds it.')
  if (code === 'SQLITE_FULL' || code === 'ENOSPC' || code === 'EDQUOT')
    return make('disk_full', `no room left to write ${file}`, 'Free space on that disk; nothing was written.')
  if (/^(SQLITE_(READONLY|CANTOPEN|PERM|IOERR)|E[A-Z]+$)/.test(code))
    return make('unusable', `cannot use the store ${file}`, 'Check that its directory exists, is yours and can be written.')
  return error
}
