import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Logger } from '@llmspell/base'
import type { HistoryStore } from '@llmspell/kernel'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createSqliteHistory } from '../../src/history/sqlite-history.ts'

let dir: string
let file: string
let logged: { level: string; msg: string; reason?: unknown }[]
const open: HistoryStore[] = []

const logger: Logger = {
  log: (level, msg, fields) => void logged.push({ level, msg, ...fields }),
  child: () => logger,
}

function history(keep = 1000): HistoryStore {
  const store = createSqliteHistory({ file, keep, logger })
  open.push(store)
  return store
}

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'llmspell-history-'))
  file = join(dir, 'history.db')
  logged = []
})
afterEach(async () => {
  for (const store of open.splice(0)) await store.close()
  rmSync(dir, { recursive: true, force: true })
})

const sources = (entries: { source: string }[]): string[] => entries.map(({ source }) => source)

async function filled(...inputs: string[]): Promise<HistoryStore> {
  const store = history()
  // As the kernel does: inputs come before the session has its number.
  const writing = store.openSession().then((session) => {
    for (const [index, source] of inputs.entries()) store.append({ session, line: index + 1, source })
  })
  await store.tail(0)
  await writing
  return store
}

describe('history in a file', () => {
  it('numbers sessions over restarts and keeps their inputs', async () => {
    const first = await filled('a', 'b')
    await first.close()
    const second = await filled('c')
    expect(await second.tail(10)).toEqual([
      { session: 1, line: 1, source: 'a' },
      { session: 1, line: 2, source: 'b' },
      { session: 2, line: 1, source: 'c' },
    ])
  })

  it('shows a read every write made before it, without waiting for the disk', async () => {
    const store = history()
    void store.openSession().then((session) => {
      store.append({ session, line: 1, source: '6 * 7' })
      store.setOutput(session, 1, '42')
    })
    expect(await store.tail(1)).toEqual([{ session: 1, line: 1, source: '6 * 7', output: '42' }])
    store.append({ session: 1, line: 2, source: 'next' })
    expect(sources(await store.range(1, 2, undefined))).toEqual(['next'])
  })

  it('gives ranges without their end, and the tail oldest first', async () => {
    const store = await filled('a', 'b', 'c', 'd')
    expect(sources(await store.range(1, 2, 4))).toEqual(['b', 'c'])
    expect(sources(await store.range(1, 3, undefined))).toEqual(['c', 'd'])
    expect(sources(await store.range(9, 1, undefined))).toEqual([])
    expect(sources(await store.tail(2))).toEqual(['c', 'd'])
    expect(await store.tail(0)).toEqual([])
    expect(await store.tail(-1)).toEqual([])
  })

  it('searches by glob, newest only, once each', async () => {
    const store = await filled('x = 1', 'print(x)', 'x = 2', 'print(x)', "it's 100% [ok]", 'X = 3')
    const search = async (query: Parameters<HistoryStore['search']>[0]): Promise<string[]> => sources(await store.search(query))
    expect(await search({ pattern: 'x = ?' })).toEqual(['x = 1', 'x = 2'])
    expect(await search({ pattern: '*print*' })).toEqual(['print(x)', 'print(x)'])
    expect(await search({ pattern: '*print*', unique: true })).toEqual(['print(x)'])
    expect(await search({ pattern: '*', unique: true, limit: 3 })).toEqual(['print(x)', "it's 100% [ok]", 'X = 3'])
    expect(await search({ pattern: '[xX] = [2-3]' })).toEqual(['x = 2', 'X = 3'])
    expect(await search({ pattern: '*100% [[]ok]' })).toEqual(["it's 100% [ok]"])
    expect(await search({ pattern: "'; DROP TABLE input; --" })).toEqual([])
  })

  it('adds an output to the latest input of that line', async () => {
    const store = await filled('a')
    store.append({ session: 1, line: 1, source: 'a again' })
    store.setOutput(1, 1, 'out')
    store.setOutput(1, 99, 'nobody')
    expect(await store.tail(5)).toEqual([
      { session: 1, line: 1, source: 'a' },
      { session: 1, line: 1, source: 'a again', output: 'out' },
    ])
  })

  it('forgets the oldest beyond what is kept', async () => {
    const first = await filled('1', '2', '3', '4', '5')
    await first.close()
    const second = history(3)
    void second.openSession()
    expect(sources(await second.tail(10))).toEqual(['3', '4', '5'])
  })

  it('is shared by kernels that run at once', async () => {
    const one = await filled('one')
    const two = await filled('two')
    one.append({ session: 1, line: 2, source: 'more' })
    expect(sources(await one.range(1, 1, undefined))).toEqual(['one', 'more'])
    expect(sources(await two.tail(10))).toEqual(['one', 'two', 'more'])
  })

  it('goes on in memory when the file cannot be used, and says so once', async () => {
    writeFileSync(file, 'not a database '.repeat(100))
    const store = await filled('a', 'b')
    expect(sources(await store.tail(10))).toEqual(['a', 'b'])
    store.append({ session: 1, line: 3, source: 'c' })
    expect(sources(await store.search({ pattern: '[bc]' }))).toEqual(['b', 'c'])
    expect(logged).toEqual([
      expect.objectContaining({ level: 'error', msg: 'the history is kept in memory only', reason: expect.stringContaining('damaged') }),
    ])
  })
})
