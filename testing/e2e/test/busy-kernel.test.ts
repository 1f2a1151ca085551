import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withTimeout } from '@llmspell/base'
import { type CommandResult, createHome, type Home, isAlive, llmspellBin, until } from '@llmspell/testkit'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const WAIT = 30_000

interface Status {
  execution_state: string
  executions: { state: string; language: string }[]
  record: { pid: number }
}

describe.each([
  { lang: 'lua', keep: 'kept = 41', read: 'kept + 1', loop: 'while true do end', ending: 'lua', hello: 'print("hello")' },
  { lang: 'js', keep: 'var kept = 41', read: 'kept + 1', loop: 'for (;;);', ending: 'js', hello: 'console.log("hello")' },
  { lang: 'ts', keep: 'var kept: number = 41', read: 'kept + 1', loop: 'for (;;);', ending: 'ts', hello: 'console.log("hello" as string)' },
])('a kernel with an endless loop in $lang', { timeout: 3 * 60_000 }, ({ lang, keep, read, loop, ending, hello }) => {
  let home: Home
  const exec = (code: string): Promise<CommandResult> => home.llmspell(['exec', '--lang', lang, code])
  const status = async (): Promise<Status> => JSON.parse((await home.llmspell(['kernel', 'status', '--json'])).stdout) as Status
  const busy = (): Promise<unknown> =>
    until('the loop runs', async () => (await status()).executions.some(({ state }) => state === 'running'), WAIT)

  function startLoop(): { ended: Promise<[number | null, string | null]>; kill: (signal: NodeJS.Signals) => void; printed: () => string } {
    const child = spawn(process.execPath, [llmspellBin(), 'exec', '--lang', lang, loop], { cwd: home.dir, env: home.env })
    let printed = ''
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text: string) => (printed += text))
    const ended = once(child, 'exit') as Promise<[number | null, string | null]>
    return { ended, kill: (signal) => child.kill(signal), printed: () => printed }
  }

  beforeAll(async () => {
    home = createHome()
    const started = await home.llmspell(['kernel', 'start', '--daemon'])
    expect(started.code, started.stderr).toBe(0)
    expect((await exec(keep)).code).toBe(0)
  })
  afterAll(() => home.dispose())

  test('answers status, and runs another script', async () => {
    const running = startLoop()
    await busy()
    expect((await status()).execution_state).toBe('busy')
    const file = join(home.dir, `hello.${ending}`)
    writeFileSync(file, hello)
    const run = await home.llmspell(['run', file])
    expect([run.code, run.stdout]).toEqual([0, 'hello\n'])
    const interrupted = await home.llmspell(['kernel', 'interrupt'])
    expect(interrupted.code, interrupted.stderr).toBe(0)
    const [code] = await withTimeout(running.ended, WAIT, 'the interrupted exec to end')
    expect(code, running.printed()).toBe(130)
    expect((await exec(read)).stdout.trim()).toBe('42')
  })

  test('a second interrupt does no harm', async () => {
    for (let i = 0; i < 3; i++) expect((await home.llmspell(['kernel', 'interrupt'])).code).toBe(0)
    expect((await exec(read)).stdout.trim()).toBe('42')
  })

  test('Ctrl-C of the client interrupts its own work', async () => {
    const running = startLoop()
    await busy()
    running.kill('SIGINT')
    const [code] = await withTimeout(running.ended, WAIT, 'the client to end after Ctrl-C')
    expect(code, running.printed()).toBe(130)
    expect((await exec(read)).stdout.trim()).toBe('42')
  })

  test('a client that is killed does not stop the kernel', async () => {
    const { pid } = (await status()).record
    const running = startLoop()
    await busy()
    running.kill('SIGKILL')
    await running.ended
    expect(isAlive(pid)).toBe(true)
    expect((await home.llmspell(['kernel', 'interrupt'])).code).toBe(0)
    await until('the kernel is idle again', async () => (await status()).execution_state === 'idle', WAIT)
    expect((await exec(read)).stdout.trim()).toBe('42')
    expect((await status()).record.pid).toBe(pid)
  })

  test('stops when told to', async () => {
    const { pid } = (await status()).record
    const running = startLoop()
    await busy()
    const stopped = await home.llmspell(['kernel', 'stop'])
    expect(stopped.code, stopped.stderr).toBe(0)
    await until('the kernel process has ended', () => !isAlive(pid), WAIT)
    const [code] = await withTimeout(running.ended, WAIT, 'the client of a stopped kernel to end')
    expect(code, running.printed()).not.toBe(0)
    expect(running.printed()).not.toBe('')
    expect(home.processes()).toEqual([])
  })
})
