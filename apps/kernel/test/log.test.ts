import { mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createProcessLog, jsonLine, LogFile, plainLine } from '../src/log.ts'
import { KERNEL_TEST_MS, logOf, makeHome, run, startKernel } from './support/kernel-under-test.ts'

let dir: string
let file: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'llmspell-log-'))
  file = join(dir, 'kernel.log')
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

describe('LogFile', () => {
  it('that cannot be opened is an error with the file and what it needs', () => {
    expect(() => new LogFile({ file: join(file, 'nowhere', 'kernel.log'), maxSize: 1000, keep: 3 })).toThrow(
      expect.objectContaining({ code: 'log.unusable', message: expect.stringMatching(/cannot write the log file .*: ENO/) }),
    )
  })

  it('begins anew when it is full, keeps so many old ones, and loses no line', () => {
    const log = new LogFile({ file, maxSize: 1000, keep: 3 })
    for (let n = 0; n < 38; n++) log.write(`${n} ${'x'.repeat(95)}\n`)
    expect(readdirSync(dir).sort()).toEqual(['kernel.log', 'kernel.log.1', 'kernel.log.2', 'kernel.log.3'])
    const numbers = ['kernel.log.3', 'kernel.log.2', 'kernel.log.1', 'kernel.log'].flatMap((name) =>
      readFileSync(join(dir, name), 'utf8')
        .trim()
        .split('\n')
        .map((line) => Number.parseInt(line, 10)),
    )
    expect(numbers).toEqual(Array.from({ length: 38 }, (_, n) => n))
    for (let n = 0; n < 38; n++) log.write(`${n} ${'x'.repeat(95)}\n`)
    expect(readdirSync(dir)).toHaveLength(4)
  })

  it('keeps none when told so, and goes on where an earlier process stopped', () => {
    const log = new LogFile({ file, maxSize: 100, keep: 0 })
    log.write(`${'a'.repeat(80)}\n`)
    new LogFile({ file, maxSize: 100, keep: 0 }).write(`${'b'.repeat(80)}\n`)
    expect(readdirSync(dir)).toEqual(['kernel.log'])
    expect(readFileSync(file, 'utf8')).toBe(`${'b'.repeat(80)}\n`)
  })

  it('follows the name after somebody else renamed the file', () => {
    const log = new LogFile({ file, maxSize: 1000, keep: 1 })
    log.write('one\n')
    renameSync(file, join(dir, 'moved'))
    log.reopen()
    log.write('two\n')
    expect(readFileSync(file, 'utf8')).toBe('two\n')
    expect(readFileSync(join(dir, 'moved'), 'utf8')).toBe('one\n')
  })

  it('goes on in the old file when the directory is gone', () => {
    const log = new LogFile({ file, maxSize: 50, keep: 1 })
    rmSync(dir, { recursive: true })
    for (let n = 0; n < 5; n++) log.write(`${'x'.repeat(40)}\n`)
    mkdirSync(dir)
    log.reopen()
    log.write('back\n')
    expect(readFileSync(file, 'utf8')).toBe('back\n')
  })
})

describe('lines', () => {
  it('are data in a file and a sentence on a terminal', () => {
    expect(JSON.parse(jsonLine('warn', 'it happened', { n: 1 }))).toMatchObject({
      level: 'warn',
      msg: 'it happened',
      n: 1,
      time: expect.any(String),
    })
    expect(plainLine('warn', 'it happened', { n: 1, why: 'so' })).toBe('llmspell kernel: warn: it happened (n=1 why=so)\n')
    expect(plainLine('error', 'it happened', {})).toBe('llmspell kernel: error: it happened\n')
  })

  it('are chosen by a level that can change, with the fields of the child', () => {
    const seen: string[] = []
    const log = createProcessLog('warn', (level, message, fields) => seen.push(`${level} ${message} ${JSON.stringify(fields)}`))
    const child = log.child({ part: 'x' })
    child.log('info', 'unheard')
    log.setLevel('info')
    child.log('info', 'heard', { n: 1 })
    expect(seen).toEqual(['info heard {"part":"x","n":1}'])
  })
})

describe('the log of a kernel process', { timeout: KERNEL_TEST_MS }, () => {
  it('tells start, trace and end, and never the key', async () => {
    const home = makeHome()
    mkdirSync(join(home, 'state', 'logs'), { recursive: true })
    const env = { LLMSPELL_TRACE: 'all' }
    const kernel = startKernel({ home, env, args: ['--log-file', logOf(home), '--language', 'javascript'] })
    const { key } = await kernel.started()
    await run(await kernel.connect(), 'await State.get("traced")')
    kernel.process.kill('SIGTERM')
    await kernel.ended()
    const text = readFileSync(logOf(home), 'utf8')
    const messages = text
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { msg: string }).msg)
    expect(messages).toEqual(expect.arrayContaining(['kernel started', 'State.get', 'kernel stopped']))
    expect(text).toContain('execute_request')
    expect(text).not.toContain(key)
  })
})
