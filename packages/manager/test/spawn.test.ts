import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LlmspellError } from '@llmspell/base'
import { type LlmspellPaths, resolvePaths } from '@llmspell/config/paths'
import { startTimeOf } from '@llmspell/config/process-identity'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { spawnKernel } from '../src/spawn.ts'

let directory = ''
let paths: LlmspellPaths
beforeEach(() => {
  directory = mkdtempSync('/tmp/lsm-')
  paths = resolvePaths({ LLMSPELL_HOME: directory })
})
afterEach(() => rmSync(directory, { recursive: true }))

/** A program in the place of the kernel's. */
function entry(code: string): string {
  const file = join(directory, 'entry.mjs')
  writeFileSync(file, `import { writeFileSync, writeSync } from 'node:fs'\nconst ready = (line) => writeSync(3, line)\n${code}`)
  return file
}

const start = (code: string, timeoutMs = 30_000): ReturnType<typeof spawnKernel> =>
  spawnKernel({
    paths,
    id: 'x',
    entry: entry(code),
    startedBy: 'daemon',
    cwd: directory,
    timeoutMs,
    env: { ...process.env, JPY_PARENT_PID: '1', LLMSPELL_KEY: 'of another kernel' },
  })

async function failure(code: string, timeoutMs?: number): Promise<LlmspellError> {
  const error: unknown = await start(code, timeoutMs).catch((reason: unknown) => reason)
  if (!LlmspellError.is(error)) throw new Error(`expected an error of ours, got ${JSON.stringify(error)}`)
  return error
}

describe('spawnKernel', { timeout: 90_000 }, () => {
  it('gives the kernel its options, its log and nothing of its parent', async () => {
    const { id, pid, connectionFile } = await start(`
      console.log(JSON.stringify({ argv: process.argv.slice(2), cwd: process.cwd(), parent: process.env.JPY_PARENT_PID, key: process.env.LLMSPELL_KEY }))
      ready(JSON.stringify({ ok: true, id: 'x', pid: process.pid, connectionFile: '/c.json' }) + '\\n')
      setTimeout(() => {}, 60_000)`)
    try {
      expect({ id, connectionFile }).toEqual({ id: 'x', connectionFile: '/c.json' })
      expect(startTimeOf(pid)).toBeDefined()
      const log = paths.logFile('x')
      expect(statSync(log).mode & 0o777).toBe(0o600)
      expect(JSON.parse(readFileSync(log, 'utf8'))).toEqual({
        argv: ['--id', 'x', '--started-by', 'daemon', '--ready-fd', '3', '--log-file', log],
        cwd: directory,
      })
    } finally {
      process.kill(pid, 'SIGKILL')
    }
  })

  it('shows the last lines of a kernel that ended at once', async () => {
    const { code, message, hint } = await failure('console.error("no such thing"); process.exit(3)')
    expect(code).toBe('kernel.start_failed')
    expect(message).toContain('it ended with code 3')
    expect(message).toContain('  no such thing')
    expect(hint).toContain(paths.logFile('x'))
  })

  it('passes on what the kernel says itself, without its log', async () => {
    const line = JSON.stringify({ ok: false, error: { code: 'config.invalid', message: 'bad value', hint: 'correct it' } })
    const { message, hint, data } = await failure(`console.log('noise'); ready(${JSON.stringify(`${line}\n`)}); process.exit(5)`)
    expect(message).toBe('the kernel "x" did not start: bad value')
    expect(hint).toBe('correct it')
    expect(data['reason']).toBe('config.invalid')
  })

  it('ends a kernel that does not get ready', async () => {
    const marker = join(directory, 'alive')
    const { message } = await failure(`setTimeout(() => writeFileSync(${JSON.stringify(marker)}, ''), 3_000)`, 1_500)
    expect(message).toContain('not ready within 1.5 s')
    await new Promise((resolve) => setTimeout(resolve, 2_500))
    expect(existsSync(marker)).toBe(false)
  })

  it('does not take noise for readiness', async () => {
    expect((await failure(`ready('hello\\n')`)).message).toContain('unreadable: hello')
  })

  it('reports an entry that is not there', async () => {
    const error: unknown = await spawnKernel({ paths, id: 'x', entry: '/nowhere.mjs', startedBy: 'auto', cwd: directory }).catch(
      (e: unknown) => e,
    )
    expect((error as LlmspellError).message).toContain('nowhere.mjs')
  })
})
