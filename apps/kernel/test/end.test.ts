import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { delay } from '@llmspell/base'
import { describe, expect, it, onTestFinished } from 'vitest'
import { EXIT } from '../src/exit-codes.ts'
import { isAlive, KERNEL_TEST_MS, type KernelUnderTest, logOf, makeHome, run, startKernel, until } from './support/kernel-under-test.ts'

const LOOP = { language: 'javascript' } as const

/** As a Jupyter client does: it chooses ports and key, and owns the kernel. */
function startOwned(options: { env?: Record<string, string>; args?: string[] } = {}): KernelUnderTest {
  const home = makeHome()
  const file = join(home, 'kernel-1234.json')
  const ports = Object.fromEntries(['shell', 'iopub', 'stdin', 'control', 'hb'].map((name, index) => [`${name}_port`, index + 1]))
  writeFileSync(file, JSON.stringify({ transport: 'ipc', ip: join(home, 'sock'), ...ports, key: 'k', signature_scheme: 'hmac-sha256' }))
  return startKernel({ home, args: ['--connection-file', file, ...(options.args ?? [])], ...(options.env && { env: options.env }) })
}

function withLog(home: string): string[] {
  mkdirSync(join(home, 'state', 'logs'), { recursive: true })
  return ['--log-file', logOf(home)]
}

function entries(home: string): { level: string; msg: string; [field: string]: unknown }[] {
  return readFileSync(logOf(home), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
}

describe('signals', { timeout: KERNEL_TEST_MS }, () => {
  it.each(['SIGTERM', 'SIGINT'] as const)('%s ends it at once, also under a loop, and the client learns of it', async (signal) => {
    const kernel = startKernel()
    const client = await kernel.connect()
    const looping = client.execute('for (;;);', LOOP)
    await until('the loop to run', async () => (await client.status()).execution_state === 'busy')
    const engines = (await client.status()).engines.map(({ pid }) => pid).filter((pid) => pid !== undefined)
    kernel.process.kill(signal)
    expect(await looping.reply).toMatchObject({ status: 'error' })
    expect(await kernel.ended()).toEqual({ code: EXIT.ok, signal: null })
    await until('the engine process to be gone', () => engines.every((pid) => !isAlive(pid)))
  })

  it('a second one does not wait', async () => {
    const kernel = startKernel()
    await kernel.started()
    kernel.process.kill('SIGTERM')
    kernel.process.kill('SIGTERM')
    expect([EXIT.ok, 143]).toContain((await kernel.ended()).code)
    expect(existsSync(join(kernel.home, 'run', 'kernels', 'default.json'))).toBe(false)
  })

  it('INT interrupts a kernel that a Jupyter client owns, and keeps its variables', async () => {
    const kernel = startOwned({ args: ['--language', 'javascript'] })
    const client = await kernel.connect()
    await run(client, 'let kept = 7')
    const looping = client.execute('for (;;);')
    await until('the loop to run', async () => (await client.status()).execution_state === 'busy')
    await delay(100)
    kernel.process.kill('SIGINT')
    expect(await looping.done).toMatchObject({ status: 'error' })
    expect(await run(client, 'kept')).toEqual({ status: 'ok', text: '7' })
  })

  it('HUP goes on in a new log file and reads the level again', async () => {
    const home = makeHome()
    const kernel = startKernel({ home, args: withLog(home) })
    await kernel.started()
    renameSync(logOf(home), `${logOf(home)}.old`)
    writeFileSync(join(home, 'config.toml'), 'log.level = "debug"')
    kernel.process.kill('SIGHUP')
    await until('the new log', () => existsSync(logOf(home)) && readFileSync(logOf(home), 'utf8').includes('read again'))
    writeFileSync(join(home, 'config.toml'), 'log.level = "loud"')
    kernel.process.kill('SIGHUP')
    await until('the complaint', () => readFileSync(logOf(home), 'utf8').includes('the log level stays'))
    expect((await (await kernel.connect()).kernelInfo()).status).toBe('ok')
  })

  it('USR2 writes statistics to the log', async () => {
    const home = makeHome()
    const kernel = startKernel({ home, args: withLog(home) })
    await run(await kernel.connect(), '1', { language: 'javascript' })
    kernel.process.kill('SIGUSR2')
    await until('the statistics', () => entries(home).some(({ msg }) => msg === 'statistics'))
    expect(entries(home).find(({ msg }) => msg === 'statistics')).toMatchObject({
      level: 'info',
      counters: { requests: expect.any(Number) },
      dropped: {},
      memory: { rss: expect.any(Number) },
    })
  })

  it('goes on when nobody reads its output any more', async () => {
    const kernel = startKernel({ env: { LLMSPELL_LOG__LEVEL: 'debug' } })
    const client = await kernel.connect()
    kernel.process.stdout?.destroy()
    kernel.process.stderr?.destroy()
    for (let n = 0; n < 3; n++) {
      kernel.process.kill('SIGUSR2')
      await delay(50)
    }
    expect((await client.kernelInfo()).status).toBe('ok')
  })

  it('USR1 opens no debugger', async () => {
    const kernel = startKernel()
    const client = await kernel.connect()
    kernel.process.kill('SIGUSR1')
    await delay(300)
    expect((await client.kernelInfo()).status).toBe('ok')
    expect(kernel.printed()).not.toContain('Debugger')
    await expect(opens(9229)).resolves.toBe(false)
  })
})

describe('shutdown', { timeout: KERNEL_TEST_MS }, () => {
  it('ends a kernel for the client that owns it', async () => {
    const kernel = startOwned()
    const client = await kernel.connect()
    expect(await client.shutdown()).toEqual({ detached: false })
    expect(await kernel.ended()).toEqual({ code: EXIT.ok, signal: null })
    // Its owner wrote the file, and removes it.
    expect(existsSync(join(kernel.home, 'kernel-1234.json'))).toBe(true)
    expect(existsSync(join(kernel.home, 'sock.lock'))).toBe(false)
  })

  it('only lets go of a client that does not own it, and ends when told to stop', async () => {
    const kernel = startKernel()
    const client = await kernel.connect()
    expect(await client.shutdown()).toEqual({ detached: true })
    const next = await kernel.connect()
    expect(await run(next, '1', { language: 'javascript' })).toEqual({ status: 'ok', text: '1' })
    expect(await next.shutdown({ stop: true })).toEqual({ detached: false })
    expect(await kernel.ended()).toEqual({ code: EXIT.ok, signal: null })
  })

  it('restarts in place: same sockets, no variables, all State', async () => {
    const kernel = startKernel({ args: ['--language', 'javascript'] })
    const client = await kernel.connect()
    await run(client, 'let gone = 1; await State.set("kept", 2)')
    await client.shutdown({ restart: true })
    expect(await run(client, 'typeof gone + await State.get("kept")')).toEqual({ status: 'ok', text: "'undefined2'" })
  })
})

describe('ending by itself', { timeout: KERNEL_TEST_MS }, () => {
  it('happens when nothing was asked for the idle time', async () => {
    const kernel = startKernel({ args: ['--idle-timeout', '700'] })
    await kernel.started()
    expect(await kernel.ended()).toEqual({ code: EXIT.ok, signal: null })
  })

  it('never happens under running or queued work', async () => {
    const kernel = startKernel({ args: ['--idle-timeout', '600', '--language', 'javascript'] })
    const client = await kernel.connect()
    const first = run(client, 'await sleep(1.5)')
    const second = run(client, 'await sleep(0.5); "done"')
    expect(await first).toEqual({ status: 'ok', text: '' })
    expect(await second).toEqual({ status: 'ok', text: "'done'" })
    expect((await kernel.ended()).code).toBe(EXIT.ok)
  })

  it('takes the configured time only for a kernel that was started because none ran', async () => {
    const env = { LLMSPELL_KERNEL__IDLE_TIMEOUT: '90s' }
    const idleTimeout = async (startedBy: string): Promise<number | undefined> =>
      (await startKernel({ env, args: ['--started-by', startedBy] }).started()).llmspell?.idleTimeout
    expect(await idleTimeout('auto')).toBe(90_000)
    expect(await idleTimeout('daemon')).toBe(0)
  })

  it('happens when the process that owns it is gone, and not before', async () => {
    const owner = spawn('sleep', ['600'])
    onTestFinished(() => void owner.kill('SIGKILL'))
    const kernel = startOwned({ env: { JPY_PARENT_PID: String(owner.pid) } })
    await kernel.started()
    await delay(1500)
    expect(isAlive(kernel.pid)).toBe(true)
    owner.kill('SIGKILL')
    expect(await kernel.ended()).toEqual({ code: EXIT.ok, signal: null })
  })

  it('does not happen to a kernel that nobody owns', async () => {
    const owner = spawn('sleep', ['600'])
    const kernel = startKernel({ env: { JPY_PARENT_PID: String(owner.pid) } })
    await kernel.started()
    owner.kill('SIGKILL')
    await delay(1500)
    expect(isAlive(kernel.pid)).toBe(true)
  })
})

function opens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('close', () => socket.destroy())
  })
}
