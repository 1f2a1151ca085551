import { type Deferred, deferred, type Logger, messageOf } from '@llmspell/base'
import { type HistoryEntry, type HistorySearch, type HistoryStore, MemoryHistoryStore } from '@llmspell/kernel'
import type { OpenedDatabase } from '@llmspell/state/sqlite'

const MIGRATIONS = [
  `CREATE TABLE session (id INTEGER PRIMARY KEY AUTOINCREMENT, started_at INTEGER NOT NULL) STRICT;
   CREATE TABLE input (
     id      INTEGER PRIMARY KEY AUTOINCREMENT,
     session INTEGER NOT NULL,
     line    INTEGER NOT NULL,
     source  TEXT NOT NULL,
     output  TEXT
   ) STRICT;
   CREATE INDEX input_by_line ON input (session, line)`,
]

const COLUMNS = 'session, line, source, output'
/** A kernel that was just started has better things to do than to load SQLite. */
const OPEN_DELAY_MS = 250
/** Inputs wait this long for company before they are written: the reply to the client does not wait for a disk. */
const WRITE_DELAY_MS = 100
/** Another kernel that writes its history may hold this one up so long, no longer. */
const BUSY_TIMEOUT_MS = 500
/** Outputs are for looking back, not for keeping data. */
const MAX_OUTPUT_LENGTH = 64 * 1024

export interface SqliteHistoryOptions {
  file: string
  /** Inputs that are kept; the oldest go first. */
  keep: number
  logger: Logger
}

/**
 * Input history in a file that kernels share; opened shortly after the start, or when it is first read. When opening or writing fails, the
 * reason is logged and this kernel's history stays in memory from then on: a full disk must not stop anybody's work.
 */
export function createSqliteHistory(options: SqliteHistoryOptions): HistoryStore {
  return new SqliteHistory(options)
}

type Write = { entry: HistoryEntry } | { session: number; line: number; output: string }

class SqliteHistory implements HistoryStore {
  readonly #options: SqliteHistoryOptions
  /** Settled when the file is wanted: by a read, at the end, or because its time has come. */
  readonly #wanted: Deferred<void> = deferred()
  #opening: Promise<void> | undefined
  #table: Table | undefined
  /** In use once the table failed. */
  #memory: MemoryHistoryStore | undefined
  #session: Promise<number> | undefined
  #pending: Write[] = []
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(options: SqliteHistoryOptions) {
    this.#options = options
  }

  openSession(): Promise<number> {
    setTimeout(() => this.#wanted.resolve(), OPEN_DELAY_MS).unref()
    const opened = this.#wanted.promise.then(() =>
      this.#read(
        (table) => table.openSession(),
        (memory) => memory.openSession(),
      ),
    )
    this.#session = opened
    return opened
  }

  append(entry: HistoryEntry): void {
    this.#write({ entry: { ...entry } })
  }

  setOutput(session: number, line: number, output: string): void {
    this.#write({ session, line, output: output.slice(0, MAX_OUTPUT_LENGTH) })
  }

  async range(session: number, start: number, stop: number | undefined): Promise<HistoryEntry[]> {
    await this.#settled()
    return this.#read(
      (table) => table.range(session, start, stop),
      (memory) => memory.range(session, start, stop),
    )
  }

  async tail(count: number): Promise<HistoryEntry[]> {
    await this.#settled()
    return this.#read(
      (table) => table.tail(count),
      (memory) => memory.tail(count),
    )
  }

  async search(query: HistorySearch): Promise<HistoryEntry[]> {
    await this.#settled()
    return this.#read(
      (table) => table.search(query),
      (memory) => memory.search(query),
    )
  }

  async close(): Promise<void> {
    await this.#settled()
    this.#flush()
    this.#table?.close()
    this.#table = undefined
    this.#memory ??= new MemoryHistoryStore()
  }

  /** Those who waited for the session's number before us have made their writes when this returns. */
  async #settled(): Promise<void> {
    this.#wanted.resolve()
    await this.#session?.catch(() => undefined)
  }

  #write(write: Write): void {
    if (this.#memory !== undefined) {
      applyTo(this.#memory, write)
      return
    }
    this.#pending.push(write)
    this.#timer ??= setTimeout(() => void this.#open().then(() => this.#flush()), WRITE_DELAY_MS).unref()
  }

  #flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (this.#pending.length === 0 || this.#table === undefined) return
    try {
      this.#table.write(this.#pending)
      this.#pending = []
    } catch (error) {
      this.#fail(error)
    }
  }

  async #read<T>(fromTable: (table: Table) => T, fromMemory: (memory: MemoryHistoryStore) => Promise<T>): Promise<T> {
    await this.#open()
    this.#flush()
    try {
      if (this.#table !== undefined) return fromTable(this.#table)
    } catch (error) {
      this.#fail(error)
    }
    return fromMemory(this.#memory as MemoryHistoryStore)
  }

  /** Afterwards there is a table or a memory. */
  #open(): Promise<void> {
    this.#opening ??= openTable(this.#options).then(
      (table) => {
        this.#table = table
      },
      (error: unknown) => this.#fail(error),
    )
    return this.#opening
  }

  #fail(error: unknown): void {
    const { file, logger } = this.#options
    logger.log('error', 'the history is kept in memory only', { reason: messageOf(error), file })
    this.#table?.close()
    this.#table = undefined
    this.#memory = new MemoryHistoryStore()
    for (const write of this.#pending.splice(0)) applyTo(this.#memory, write)
  }
}

function applyTo(store: HistoryStore, write: Write): void {
  if ('entry' in write) store.append(write.entry)
  else store.setOutput(write.session, write.line, write.output)
}

interface Table {
  openSession(): number
  write(writes: readonly Write[]): void
  range(session: number, start: number, stop: number | undefined): HistoryEntry[]
  tail(count: number): HistoryEntry[]
  search(query: HistorySearch): HistoryEntry[]
  close(): void
}

async function openTable({ file, keep }: SqliteHistoryOptions): Promise<Table> {
  const { openDatabase } = await import('@llmspell/state/sqlite')
  const database: OpenedDatabase = openDatabase({ file, applicationId: 'LShi', migrations: MIGRATIONS, busyTimeout: BUSY_TIMEOUT_MS })
  const { sqlite, run } = database
  const insertSession = sqlite.prepare<[number]>('INSERT INTO session (started_at) VALUES (?)')
  const insert = sqlite.prepare<[number, number, string, string | null]>(`INSERT INTO input (${COLUMNS}) VALUES (?, ?, ?, ?)`)
  const setOutput = sqlite.prepare<[string, number, number]>(
    'UPDATE input SET output = ? WHERE id = (SELECT max(id) FROM input WHERE session = ? AND line = ?)',
  )
  const prune = sqlite.prepare<[number]>('DELETE FROM input WHERE id <= (SELECT max(id) FROM input) - ?')
  const range = sqlite.prepare<[number, number, number], Row>(
    `SELECT ${COLUMNS} FROM input WHERE session = ? AND line >= ? AND line < ? ORDER BY id`,
  )
  const tail = sqlite.prepare<[number], Row>(`SELECT * FROM (SELECT id, ${COLUMNS} FROM input ORDER BY id DESC LIMIT ?) ORDER BY id`)
  const search = sqlite.prepare<[string, number], Row>(
    `SELECT * FROM (SELECT id, ${COLUMNS} FROM input WHERE source GLOB ? ORDER BY id DESC LIMIT ?) ORDER BY id`,
  )
  const searchUnique = sqlite.prepare<[string, number], Row>(
    `SELECT * FROM (SELECT max(id) AS id, ${COLUMNS} FROM input WHERE source GLOB ? GROUP BY source ORDER BY id DESC LIMIT ?) ORDER BY id`,
  )
  return {
    openSession: () =>
      database.transaction(() => {
        prune.run(keep)
        return Number(insertSession.run(Date.now()).lastInsertRowid)
      }),
    write: (writes) =>
      database.transaction(() => {
        for (const write of writes) {
          if ('entry' in write) insert.run(write.entry.session, write.entry.line, write.entry.source, write.entry.output ?? null)
          else setOutput.run(write.output, write.session, write.line)
        }
      }),
    range: (session, start, stop) => run(() => range.all(session, start, stop ?? Number.MAX_SAFE_INTEGER).map(entryOf)),
    tail: (count) => run(() => tail.all(Math.max(0, count)).map(entryOf)),
    search: ({ pattern, limit, unique }) =>
      run(() => (unique ? searchUnique : search).all(pattern, limit === undefined ? -1 : Math.max(0, limit)).map(entryOf)),
    close: () => database.close(),
  }
}

interface Row {
  session: number
  line: number
  source: string
  output: string | null
}

function entryOf({ session, line, source, output }: Row): HistoryEntry {
  return { session, line, source, ...(output === null ? {} : { output }) }
}
