import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { withTimeout } from '@llmspell/base'
import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createSqliteDriver } from '../../src/drivers/sqlite.ts'
import { describeStateDriver } from '../../src/testing/index.ts'

const CHILD_DEADLINE_MS = 60_000

let dir: string
let file: string
const children: ChildProcess[] = []

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'llmspell-state-'))
  file = join(dir, 'state.db')
})
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  rmSync(dir, { recursive: true, force: true })
})

describeStateDriver('sqlite', { open: () => createSqliteDriver({ file }) })
describeStateDriver('sqlite, full durability', { open: () => createSqliteDriver({ file, durability: 'full' }) })

/** A process of its own that opens the same file through the built package and runs `body` with `driver`. */
function startWriter(body: string, shell?: readonly string[]): ChildProcess {
  const code = `import { createSqliteDriver } from ${JSON.stringify(import.meta.resolve('@llmspell/state/sqlite'))}
    const driver = createSqliteDriver({ file: ${JSON.stringify(file)} })
    ${body}`
  const words = ['--input-type=module', '-e', code]
  const child = spawn(shell ? 'sh' : process.execPath, shell ? [...shell, ...words] : words, { stdio: ['ignore', 'pipe', 'inherit'] })
  children.push(child)
  return child
}

describe('sqlite store', () => {
  it('is private to its owner, with its side files', () => {
    const driver = createSqliteDriver({ file })
    driver.put('s', 'k', '1')
    for (const path of [file, `${file}-wal`, `${file}-shm`]) expect(statSync(path).mode & 0o077).toBe(0)
    driver.close()
  })

  it('keeps what was written over a close', () => {
    const first = createSqliteDriver({ file })
    first.put('s', 'k', '"v"')
    first.close()
    const second = createSqliteDriver({ file })
    expect(second.get('s', 'k')?.value).toBe('"v"')
    second.close()
  })

  it('holds every acknowledged write after kill -9 in the middle of writing', async () => {
    for (let round = 0; round < 3; round++) {
      const writer = startWriter(`for (let n = 1; ; n++) {
        driver.put('s', 'n', String(n))
        await new Promise((written) => process.stdout.write(n + '\\n', written))
      }`)
      let printed = ''
      writer.stdout?.setEncoding('utf8').on('data', (text: string) => {
        printed += text
        if (printed.split('\n').length > 300 + round * 77) writer.kill('SIGKILL')
      })
      await withTimeout(once(writer, 'close'), CHILD_DEADLINE_MS, 'the writer to be killed')
      const acknowledged = Number(printed.split('\n').at(-2))
      const driver = createSqliteDriver({ file })
      expect(Number(driver.get('s', 'n')?.value)).toBeGreaterThanOrEqual(acknowledged)
      driver.close()
      const sqlite = new Database(file)
      expect(sqlite.pragma('integrity_check', { simple: true })).toBe('ok')
      sqlite.close()
      expect(acknowledged).toBeGreaterThan(0)
      rmSync(file)
      rmSync(`${file}-wal`, { force: true })
      rmSync(`${file}-shm`, { force: true })
    }
  }, 90_000)

  // `ulimit -f` is a full disk to the process that has it.
  it.skipIf(process.platform === 'win32')(
    'acknowledges no write that found the disk full',
    async () => {
      const limited = ['-c', `trap '' XFSZ; ulimit -f 200; exec "$0" "$@"`, process.execPath]
      const writer = startWriter(
        `const acknowledged = []
      const attempt = (key, expected) => { try { driver.put('s', key, JSON.stringify('x'.repeat(9000)), expected); acknowledged.push(key) } catch (error) { failures.push(error.code) } }
      const failures = []
      for (let n = 0; n < 60; n++) { attempt('upsert' + n); attempt('insert' + n, 0); attempt('upsert0', n + 1) }
      process.stdout.write(JSON.stringify({ acknowledged, failures: [...new Set(failures)] }))
      process.kill(process.pid, 'SIGKILL')`,
        limited,
      )
      let printed = ''
      writer.stdout?.setEncoding('utf8').on('data', (text: string) => {
        printed += text
      })
      await withTimeout(once(writer, 'close'), CHILD_DEADLINE_MS, 'the writer to fill its disk')
      const { acknowledged, failures } = JSON.parse(printed) as { acknowledged: string[]; failures: string[] }
      expect(failures.length).toBeGreaterThan(0)
      for (const code of failures) expect(['state.disk_full', 'state.unusable', 'state.version_conflict']).toContain(code)
      const driver = createSqliteDriver({ file })
      expect(acknowledged.filter((key) => driver.get('s', key) === undefined)).toEqual([])
      expect(driver.keys('s', '').length).toBe(new Set(acknowledged).size)
      driver.close()
    },
    90_000,
  )

  it('loses no increment of several processes that create and count in one file at once', async () => {
    const processes = 6
    const each = 200
    const writers = Array.from({ length: processes }, () =>
      startWriter(`for (let i = 0; i < ${each}; i++) {
        for (;;) {
          const found = driver.get('s', 'n')
          try { driver.put('s', 'n', String(Number(found?.value ?? 0) + 1), found?.version ?? 0); break }
          catch (error) { if (error.code !== 'state.version_conflict') throw error }
        }
      }
      driver.close()`),
    )
    const codes = await withTimeout(
      Promise.all(writers.map(async (writer) => (await once(writer, 'exit'))[0] as number)),
      CHILD_DEADLINE_MS,
      'the writers to finish',
    )
    expect(codes).toEqual(Array(processes).fill(0))
    const driver = createSqliteDriver({ file })
    expect(driver.get('s', 'n')).toMatchObject({ value: String(processes * each), version: processes * each })
    driver.close()
  }, 90_000)
})
