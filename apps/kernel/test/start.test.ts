import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { dirname, join } from 'node:path'
import { parseConnectionFile, SOCKET_NAMES } from '@llmspell/jupyter'
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { EXIT } from '../src/exit-codes.ts'
import { isAlive, KERNEL_TEST_MS, logOf, makeHome, run, startKernel } from './support/kernel-under-test.ts'

describe('start', { timeout: KERNEL_TEST_MS }, () => {
  it('registers itself, private to its user, and answers', async () => {
    const kernel = startKernel()
    const connection = await kernel.started()
    const file = join(kernel.home, 'run', 'kernels', 'default.json')
    expect(await kernel.ready).toEqual({ ok: true, id: 'default', pid: kernel.pid, connectionFile: file })
    expect(statSync(file).mode & 0o777).toBe(0o600)
    expect(statSync(join(kernel.home, 'run', 'kernels')).mode & 0o777).toBe(0o700)
    for (const port of [1, 2, 3, 4, 5]) expect(statSync(join(kernel.home, 'run', 'kernels', `default-${port}`)).isSocket()).toBe(true)
    expect(connection).toMatchObject({ transport: 'ipc', signature_scheme: 'hmac-sha256', kernel_name: 'llmspell-lua' })
    expect(connection.key.length).toBeGreaterThanOrEqual(32)
    expect(connection.llmspell).toMatchObject({ id: 'default', pid: kernel.pid, startedBy: 'foreground', idleTimeout: 0, language: 'lua' })

    const client = await kernel.connect()
    expect(await client.kernelInfo()).toMatchObject({ implementation: 'llmspell', status: 'ok' })
    expect(await run(client, '6 * 7', { language: 'javascript' })).toEqual({ status: 'ok', text: '42' })
    expect(kernel.printed()).toBe('')
  })

  it('leaves nothing behind when it ends', async () => {
    const kernel = startKernel()
    await kernel.started()
    kernel.process.kill('SIGTERM')
    expect(await kernel.ended()).toEqual({ code: EXIT.ok, signal: null })
    expect(readdirSync(join(kernel.home, 'run'))).toEqual(['kernels'])
    expect(readdirSync(join(kernel.home, 'run', 'kernels'))).toEqual([])
  })

  it('listens on five ports in a row of the loopback when told a port', async () => {
    const port = await freePorts()
    const kernel = startKernel({ args: ['--port', String(port), '--id', 'by-port', '--language', 'typescript'] })
    const connection = await kernel.started()
    expect(connection).toMatchObject({ transport: 'tcp', ip: '127.0.0.1', kernel_name: 'llmspell-typescript' })
    expect(SOCKET_NAMES.map((name) => connection[`${name}_port`])).toEqual([0, 1, 2, 3, 4].map((n) => port + n))
    expect(await run(await kernel.connect(), 'const x: number = 2; x')).toEqual({ status: 'ok', text: '2' })
  })

  it('lets the system choose ports when the configuration says tcp', async () => {
    const kernel = startKernel({ env: { LLMSPELL_KERNEL__TRANSPORT: 'tcp' } })
    const connection = await kernel.started()
    expect(connection.transport).toBe('tcp')
    expect(new Set(SOCKET_NAMES.map((name) => connection[`${name}_port`])).size).toBe(5)
    expect((await (await kernel.connect()).kernelInfo()).status).toBe('ok')
  })

  it('reads no device for a connection file', async () => {
    const kernel = startKernel({ args: ['--connection-file', '/dev/zero'] })
    expect(await kernel.ended()).toEqual({ code: EXIT.config, signal: null })
    expect(kernel.printed()).toBe('llmspell kernel: cannot read the connection file /dev/zero: it is not a regular file\n')
  })

  it('says that a port is taken, with exit code 98 and one line', async () => {
    const taken = createServer()
    onTestFinished(() => void taken.close())
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
    const { port } = taken.address() as { port: number }
    const kernel = startKernel({ args: ['--port', String(port)] })
    expect(await kernel.ready).toMatchObject({
      ok: false,
      error: { code: 'zmq.address_in_use', message: expect.stringContaining(String(port)) },
    })
    expect(await kernel.ended()).toEqual({ code: EXIT.inUse, signal: null })
    expect(kernel.printed()).toMatch(
      /^llmspell kernel: cannot bind the shell socket to tcp:\/\/127\.0\.0\.1:\d+: the address is in use\n {2}.*\n$/,
    )
    expect(readdirSync(join(kernel.home, 'run', 'kernels'))).toEqual([])
  })

  it('refuses to be the second kernel of an id, and leaves the first alone', async () => {
    const first = startKernel()
    const client = await first.connect()
    const second = startKernel({ home: first.home })
    expect(await second.ready).toMatchObject({
      ok: false,
      error: { code: 'kernel.already_running', message: expect.stringContaining(String(first.pid)) },
    })
    expect((await second.ended()).code).toBe(EXIT.inUse)
    expect(await run(client, '1 + 1', { language: 'javascript' })).toEqual({ status: 'ok', text: '2' })
    expect((await first.connect()).gone).toBeUndefined()
  })

  it('lets one of many simultaneous starts of an id win', async () => {
    const home = makeHome()
    const kernels = Array.from({ length: 5 }, () => startKernel({ home }))
    const lines = await Promise.all(kernels.map((kernel) => kernel.ready))
    expect(lines.filter((line) => line?.ok)).toHaveLength(1)
    expect(lines.filter((line) => line?.error?.code === 'kernel.already_running')).toHaveLength(4)
  })

  it('takes the place of a kernel that was killed', async () => {
    const first = startKernel()
    await first.started()
    first.process.kill('SIGKILL')
    await first.ended()
    const second = startKernel({ home: first.home })
    expect(await run(await second.connect(), '1', { language: 'javascript' })).toEqual({ status: 'ok', text: '1' })
  })

  it('writes a connection file for other clients where it is told to', async () => {
    const home = makeHome()
    const file = join(home, 'mine.json')
    const kernel = startKernel({ home, args: ['--connection-file', file, '--started-by', 'daemon', '--id', 'shared'] })
    const connection = await kernel.started()
    expect((await kernel.ready)?.connectionFile).toBe(file)
    expect(parseConnectionFile(readFileSync(join(home, 'run', 'kernels', 'shared.json'), 'utf8'))).toEqual(connection)
    kernel.process.kill('SIGTERM')
    await kernel.ended()
    expect(readdirSync(home)).not.toContain('mine.json')
  })

  it('works in a home whose path is too long for a socket', async () => {
    const home = join(makeHome(), 'x'.repeat(60), 'y'.repeat(60))
    mkdirSync(home, { recursive: true })
    const kernel = startKernel({ home })
    const connection = await kernel.started()
    expect(connection.ip.length).toBeLessThan(104)
    expect((await (await kernel.connect()).kernelInfo()).status).toBe('ok')
    kernel.process.kill('SIGTERM')
    await kernel.ended()
    expect(existsSync(dirname(connection.ip))).toBe(false)
  })

  it('gives scripts its directory and environment, without what ties it to its launcher and without keys', async () => {
    const kernel = startKernel({ env: { MY_SETTING: 'yes', JPY_PARENT_PID: '1', LLMSPELL_KEY: 'of another kernel' } })
    const code = 'console.log(process.cwd(), process.env.MY_SETTING, process.env.JPY_PARENT_PID, process.env.LLMSPELL_KEY)'
    expect(await run(await kernel.connect(), code, { language: 'javascript' })).toEqual({
      status: 'ok',
      text: `${kernel.home} yes undefined undefined\n`,
    })
  })
})

describe('files of scripts', { timeout: KERNEL_TEST_MS }, () => {
  let before: number
  beforeAll(() => {
    before = process.umask(0o022)
  })
  afterAll(() => {
    process.umask(before)
  })

  it('get the modes of whoever started the kernel, in every language; its own stay private', async () => {
    const kernel = startKernel()
    const client = await kernel.connect()
    await run(client, `io.open("${kernel.home}/lua", "w"):close() State.set("k", 1)`, { language: 'lua' })
    await run(client, `require('node:fs').writeFileSync('${kernel.home}/js', '')`, { language: 'javascript' })
    const modeOf = (...path: string[]) => (statSync(join(kernel.home, ...path)).mode & 0o777).toString(8)
    expect([modeOf('lua'), modeOf('js')]).toEqual(['644', '644'])
    expect([modeOf('state'), modeOf('state', 'state.db'), modeOf('state', 'state.db-wal')]).toEqual(['700', '600', '600'])
    expect([modeOf('cache'), modeOf('run', 'kernels', 'default-1')]).toEqual(['700', '600'])
  })
})

describe('a start that cannot be', { timeout: KERNEL_TEST_MS }, () => {
  it.each([
    [['--port', '70000'], 'kernel.usage', /--port must be a whole number from 0 to 65531, not "70000"/],
    [['--language', 'lau'], 'kernel.usage', /not "lau"; did you mean "lua"\?/],
    [['--idle-timeout', 'soon'], 'kernel.usage', /--idle-timeout/],
    [['--started-by', 'me'], 'kernel.usage', /--started-by/],
    [['--id', '../../etc'], 'config.bad_kernel_id', /not a kernel id/],
    [['--id', ''], 'kernel.usage', /--id needs a value/],
  ])('%j: exit code 2 and a reason', async (args, code, message) => {
    const kernel = startKernel({ args })
    expect(await kernel.ready).toMatchObject({ ok: false, error: { code, message: expect.stringMatching(message) } })
    expect((await kernel.ended()).code).toBe(EXIT.usage)
    expect(kernel.printed()).toMatch(message)
  })

  it('a broken configuration: exit code 5 and the place', async () => {
    const home = makeHome()
    writeFileSync(join(home, 'config.toml'), '[kernel]\nidle_timout = "5m"\n')
    const kernel = startKernel({ home })
    expect(await kernel.ready).toMatchObject({ ok: false, error: { code: 'config.invalid' } })
    expect((await kernel.ended()).code).toBe(EXIT.config)
    expect(kernel.printed()).toContain('config.toml:2:1: unknown setting "kernel.idle_timout"; did you mean "kernel.idle_timeout"?')
  })

  it.each(['not json', '{"shell_port": "x"}', '[]'])(
    'the connection file %j: exit code 5, the file named, the key not shown',
    async (text) => {
      const home = makeHome()
      const file = join(home, 'kernel-1.json')
      writeFileSync(file, text.replace('}', ', "key": "very-secret"}'))
      const kernel = startKernel({ home, args: ['--connection-file', file] })
      expect((await kernel.ready)?.error).toMatchObject({ code: 'connection_file.invalid', message: expect.stringContaining(file) })
      expect((await kernel.ended()).code).toBe(EXIT.config)
      expect(kernel.printed()).not.toContain('very-secret')
    },
  )

  it('a runtime directory that somebody else could reach: exit code 73', async () => {
    const home = makeHome()
    mkdirSync(join(home, 'elsewhere'))
    symlinkSync(join(home, 'elsewhere'), join(home, 'run'))
    const kernel = startKernel({ home })
    expect(await kernel.ready).toMatchObject({ ok: false, error: { code: 'config.unsafe_directory' } })
    expect((await kernel.ended()).code).toBe(EXIT.cannotStart)
  })

  it('words it does not know are no reason not to start', async () => {
    const home = makeHome()
    mkdirSync(join(home, 'state', 'logs'), { recursive: true })
    const kernel = startKernel({ home, args: ['--profile', '--debug=true', 'extra', '--log-file', logOf(home)] })
    await kernel.started()
    expect(isAlive(kernel.pid)).toBe(true)
    expect(readFileSync(logOf(home), 'utf8')).toContain('"words":["--profile","--debug","extra"]')
  })
})

/** A port after which four more are free, most likely. */
async function freePorts(): Promise<number> {
  for (;;) {
    const first = 20_000 + Math.floor(Math.random() * 10_000)
    const servers = await Promise.all([0, 1, 2, 3, 4].map((n) => tryListen(first + n)))
    for (const server of servers) server?.close()
    if (servers.every((server) => server !== undefined)) return first
  }
}

function tryListen(port: number): Promise<ReturnType<typeof createServer> | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(undefined))
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}
