import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type DatabaseOptions, type OpenedDatabase, openDatabase } from '../../src/drivers/database.ts'

const CHILD_DEADLINE_MS = 60_000

const FIRST = 'CREATE TABLE note (text TEXT NOT NULL) STRICT'
const SECOND = 'ALTER TABLE note ADD COLUMN stars INTEGER NOT NULL DEFAULT 1'

let dir: string
let file: string
const opened: OpenedDatabase[] = []

function open(options: Partial<DatabaseOptions> = {}): OpenedDatabase {
  const database = openDatabase({ file, applicationId: 'TEST', migrations: [FIRST], ...options })
  opened.push(database)
  return database
}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'llmspell-database-'))
  file = join(dir, 'deep', 'test.db')
})
afterEach(() => {
  for (const database of opened.splice(0)) database.close()
  chmodSync(dir, 0o700)
  rmSync(dir, { recursive: true, force: true })
})

const failure = (code: string, message: RegExp = /./) =>
  expect.objectContaining({ code, message: expect.stringMatching(message), hint: expect.any(String) })

describe('openDatabase', () => {
  it('sets what it promises on the connection', () => {
    const { sqlite } = open({ busyTimeout: 1234 })
    const pragma = (name: string): unknown => sqlite.pragma(name, { simple: true })
    expect([pragma('journal_mode'), pragma('synchronous'), pragma('busy_timeout')]).toEqual(['wal', 1, 1234])
    expect(open({ file: join(dir, 'full.db'), durability: 'full' }).sqlite.pragma('synchronous', { simple: true })).toBe(2)
  })

  it('migrates an older file after a backup of it', () => {
    const old = open()
    old.sqlite.exec(`INSERT INTO note VALUES ('kept')`)
    old.close()
    const migrated = open({ migrations: [FIRST, SECOND] })
    expect(migrated.sqlite.prepare('SELECT * FROM note').all()).toEqual([{ text: 'kept', stars: 1 }])
    const backups = readdirSync(join(dir, 'deep')).filter((name) => name.endsWith('.bak'))
    expect(backups).toEqual([expect.stringMatching(/^test\.db\.schema1-\d+T\d+Z-\d+\.bak$/)])
    expect(statSync(join(dir, 'deep', backups[0] as string)).mode & 0o777).toBe(0o600)
    const backup = new Database(join(dir, 'deep', backups[0] as string))
    expect(backup.prepare('SELECT * FROM note').all()).toEqual([{ text: 'kept' }])
    backup.close()
  })

  it('leaves an older file as it was when a migration fails', () => {
    open().close()
    expect(() => open({ migrations: [FIRST, `${SECOND}; CREATE TABLE note (again)`] })).toThrow(/already exists/)
    const again = open()
    expect(again.sqlite.pragma('user_version', { simple: true })).toBe(1)
    expect(again.sqlite.prepare('SELECT * FROM note').columns()).toHaveLength(1)
  })

  it('refuses a file of a newer version and does not touch it', () => {
    open({ migrations: [FIRST, SECOND] }).close()
    const before = readFileSync(file)
    expect(() => open()).toThrow(failure('state.newer_schema', /schema 2, this one knows up to 1/))
    expect(readFileSync(file)).toEqual(before)
  })

  it('refuses a database of another program and does not touch it', () => {
    mkdirSync(join(dir, 'deep'))
    const foreign = new Database(file)
    foreign.exec('CREATE TABLE bookmarks (url)')
    foreign.close()
    expect(() => open()).toThrow(failure('state.foreign_file'))
    open({ file: join(dir, 'other.db'), applicationId: 'OTHR' }).close()
    expect(() => open({ file: join(dir, 'other.db') })).toThrow(failure('state.foreign_file'))
  })

  it('names a damaged file and what to do with it', () => {
    mkdirSync(join(dir, 'deep'))
    writeFileSync(file, 'this is no database, '.repeat(500))
    expect(() => open()).toThrow(failure('state.corrupt', /test\.db is damaged/))
  })

  it('names a file damaged in the middle when the damage is met', () => {
    const database = open()
    const insert = database.sqlite.prepare('INSERT INTO note VALUES (?)')
    database.transaction(() => {
      for (let i = 0; i < 2000; i++) insert.run('x'.repeat(200))
    })
    database.close()
    const bytes = readFileSync(file)
    bytes.fill(0xa5, 8192, bytes.length - 4096)
    writeFileSync(file, bytes)
    const damaged = open()
    expect(() => damaged.run(() => damaged.sqlite.prepare('SELECT sum(length(text)) FROM note').get())).toThrow(failure('state.corrupt'))
  })

  it('says that a directory cannot be used', () => {
    writeFileSync(join(dir, 'deep'), 'a file')
    expect(() => open()).toThrow(failure('state.unusable', /deep\/test\.db/))
    expect(() => open({ file: dir })).toThrow(failure('state.unusable'))
  })

  it('says that a read-only directory or file cannot be used', () => {
    // Permissions do not bind root, so root looks as somebody else.
    const asOther = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}
    chmodSync(dir, 0o555)
    const result = spawnSync(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `import { openDatabase } from ${JSON.stringify(import.meta.resolve('@llmspell/state/sqlite'))}
         try { openDatabase({ file: ${JSON.stringify(join(dir, 'x.db'))}, applicationId: 'TEST', migrations: [] }) }
         catch (error) { console.log(error.code, error.message) }`,
      ],
      { encoding: 'utf8', timeout: CHILD_DEADLINE_MS, ...asOther },
    )
    expect(result.stdout).toMatch(/^state\.unusable cannot use the store .*x\.db \(EACCES/)
  })

  it('reports a full disk and goes on once there is room', () => {
    const database = open()
    const insert = database.sqlite.prepare('INSERT INTO note VALUES (?)')
    database.sqlite.pragma('max_page_count = 10')
    expect(() => {
      for (let i = 0; i < 100; i++) database.run(() => insert.run('x'.repeat(1000)))
    }).toThrow(failure('state.disk_full'))
    database.sqlite.pragma('max_page_count = 10000')
    database.run(() => insert.run('fits'))
  })

  it('reports a writer that does not let go', () => {
    const holder = open()
    const waiter = open({ busyTimeout: 20 })
    holder.sqlite.exec('BEGIN IMMEDIATE')
    expect(() => waiter.run(() => waiter.sqlite.exec(`INSERT INTO note VALUES ('x')`))).toThrow(failure('state.busy'))
    holder.sqlite.exec('ROLLBACK')
    waiter.run(() => waiter.sqlite.exec(`INSERT INTO note VALUES ('x')`))
  })
})
