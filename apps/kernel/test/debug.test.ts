import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname, join } from 'node:path'
import { type Dap, DapClient } from '@llmspell/dap'
import { nodeStream } from '@llmspell/dap/node'
import type { StartDebugServerReply } from '@llmspell/jupyter'
import { describe, expect, it, onTestFinished } from 'vitest'
import { isAlive, KERNEL_TEST_MS, type KernelUnderTest, logOf, makeHome, run, startKernel, until } from './support/kernel-under-test.ts'

const EVENT_MS = 30_000

interface Attached {
  debug: DapClient
  token: string
}

async function debuggerOf(kernel: KernelUnderTest, transport?: 'unix' | 'tcp'): Promise<Attached> {
  const client = await kernel.connect()
  const server = await client.startDebugServer(transport && { transport })
  const socket = connect(server.transport === 'unix' ? { path: server.path } : { host: server.ip, port: server.port })
  const debug = new DapClient(nodeStream(socket, socket))
  onTestFinished(() => void socket.destroy())
  await debug.request('initialize', { adapterID: 'llmspell', linesStartAt1: true, columnsStartAt1: true })
  return { debug, token: server.token }
}

/** Launch or attach, breakpoints, and all that belongs to it in the order that editors keep. */
async function begin(
  { debug, token }: Attached,
  request: 'launch' | 'attach',
  args: Record<string, unknown>,
  breakpoints: Readonly<Record<string, readonly number[]>> = {},
): Promise<void> {
  const begun = debug.request(request, { ...args, token } as Dap.ArgumentsOf<'launch'>)
  await Promise.race([debug.waitFor('initialized', { timeoutMs: EVENT_MS }), begun])
  for (const [path, lines] of Object.entries(breakpoints))
    await debug.request('setBreakpoints', { source: { path }, breakpoints: lines.map((line) => ({ line })) })
  await debug.request('configurationDone')
  await begun
}

async function stopped(debug: DapClient): Promise<{ threadId: number; line: number; frameId: number; reason: string }> {
  const { threadId = 0, reason } = await debug.waitFor('stopped', { timeoutMs: EVENT_MS })
  const { stackFrames } = await debug.request('stackTrace', { threadId })
  const [frame] = stackFrames
  return { threadId, reason, line: frame?.line ?? 0, frameId: frame?.id ?? 0 }
}

async function local(debug: DapClient, frameId: number, name: string): Promise<string | undefined> {
  const { scopes } = await debug.request('scopes', { frameId })
  for (const { variablesReference } of scopes) {
    const { variables } = await debug.request('variables', { variablesReference })
    const found = variables.find((variable) => variable.name === name)
    if (found) return found.value
  }
  return undefined
}

const PROGRAMS = {
  lua: {
    file: 'sum.lua',
    text: 'local sum = 0\nfor i = 1, 3 do\n  sum = sum + i\nend\nprint("sum", sum, ...)\nprint(os.getenv("COLOUR"))\n',
    printed: 'sum\t6\ta\tb\nred\n',
    function: 'function twice(n)\n  return n + n\nend',
    call: 'print(twice(4))',
    spin: 'while true do end',
  },
  typescript: {
    file: 'sum.ts',
    text: 'let sum: number = 0\nfor (let i = 1; i <= 3; i++) {\n  sum += i\n}\nconsole.log("sum", sum, ...process.argv.slice(2))\nconsole.log(process.env.COLOUR)\n',
    printed: 'sum 6 a b\nred\n',
    function: 'function twice(n: number) {\n  return n + n\n}',
    call: 'console.log(twice(4))',
    spin: 'for (;;);',
  },
} as const

describe.each(['lua', 'typescript'] as const)('%s under a debugger', { timeout: KERNEL_TEST_MS }, (language) => {
  const program = PROGRAMS[language]

  function script(home: string): string {
    const path = join(home, program.file)
    writeFileSync(path, program.text)
    return path
  }

  it('launch: stops, shows, goes on, prints, ends', async () => {
    const kernel = startKernel()
    const attached = await debuggerOf(kernel)
    const { debug } = attached
    const printed: string[] = []
    debug.on('output', ({ category, output }) => {
      if (category === 'stdout') printed.push(output)
    })
    const path = script(kernel.home)
    await begin(attached, 'launch', { program: path, args: ['a', 'b'], env: { COLOUR: 'red' } }, { [path]: [3] })
    for (const sum of ['0', '1', '3']) {
      const { threadId, line, frameId, reason } = await stopped(debug)
      expect([line, reason, await local(debug, frameId, 'sum')]).toEqual([3, 'breakpoint', sum])
      await debug.request('continue', { threadId })
    }
    expect(await debug.waitFor('exited', { timeoutMs: EVENT_MS })).toEqual({ exitCode: 0 })
    await debug.waitFor('terminated', { timeoutMs: EVENT_MS })
    expect(printed.join('')).toBe(program.printed)
    await debug.request('disconnect', {})
    const status = await (await kernel.connect()).status()
    expect(status).toMatchObject({ execution_state: 'idle', executions: [], counters: { executions: 1, errors: 0 } })
  })

  it('a debugger that is killed lets its script go on', async () => {
    const kernel = startKernel()
    const attached = await debuggerOf(kernel)
    const client = await kernel.connect()
    const path = script(kernel.home)
    await begin(attached, 'attach', {}, { [path]: [3] })
    const running = client.execute(program.text, { language, source: path, namespace: 'fresh' })
    await stopped(attached.debug)
    expect((await client.status()).execution_state).toBe('stopped')
    attached.debug.close()
    expect(await running.done).toMatchObject({ status: 'ok' })
    expect((await client.status()).debugger).toEqual({ sessions: 0, stopped: 0 })
  })

  it('one that watches takes over', async () => {
    const kernel = startKernel()
    const [first, second] = [await debuggerOf(kernel), await debuggerOf(kernel)]
    const path = script(kernel.home)
    await begin(first, 'attach', {}, { [path]: [3] })
    await begin(second, 'attach', {}, {})
    const running = (await kernel.connect()).execute(program.text, { language, source: path, namespace: 'fresh' })
    const { threadId } = await stopped(first.debug)
    expect((await stopped(second.debug)).line).toBe(3)
    await expect(second.debug.request('continue', { threadId })).rejects.toThrow()
    first.debug.close()
    await until('the second one to control', () =>
      second.debug.request('continue', { threadId }).then(
        () => true,
        () => false,
      ),
    )
    expect(await running.done).toMatchObject({ status: 'ok' })
  })

  it('while it stands still all else works, and an interrupt ends it', async () => {
    const kernel = startKernel()
    const attached = await debuggerOf(kernel)
    const client = await kernel.connect()
    await run(client, program.function, { language })
    const dumped = await client.request('debug_request', {
      type: 'request',
      seq: 1,
      command: 'dumpCell',
      arguments: { code: program.function },
    })
    const { sourcePath } = dumped.body as { sourcePath: string }
    await begin(attached, 'attach', {}, { [sourcePath]: [2] })
    const called = client.execute(program.call, { language })
    await stopped(attached.debug)
    const other = await kernel.connect()
    expect(await other.ping(5000)).toBeLessThan(5000)
    await other.kernelInfo()
    expect(await run(other, program.call.replace('twice(4)', '9'), { language, namespace: 'fresh' })).toMatchObject({ status: 'ok' })
    await run(other, language === 'lua' ? '1' : 'return 1', { language: language === 'lua' ? 'javascript' : 'lua' })
    await other.complete('pri', 3, { language })
    expect(await other.interrupt()).toBe(true)
    expect(await called.done).toMatchObject({ status: 'error', ename: 'Interrupted' })
    const again = client.execute(program.call, { language })
    const { threadId } = await stopped(attached.debug)
    await attached.debug.request('continue', { threadId })
    expect(await again.done).toMatchObject({ status: 'ok' })
  })

  it('pause of a busy loop, terminate', async () => {
    const kernel = startKernel()
    const attached = await debuggerOf(kernel)
    const path = join(kernel.home, `spin${program.file.slice(-4)}`)
    writeFileSync(path, program.spin)
    await begin(attached, 'launch', { program: path })
    const { threads } = await attached.debug.request('threads')
    await attached.debug.request('pause', { threadId: threads[0]?.id ?? 0 })
    expect((await stopped(attached.debug)).reason).toBe('pause')
    await attached.debug.request('terminate', {})
    expect(await attached.debug.waitFor('exited', { timeoutMs: EVENT_MS })).toEqual({ exitCode: 130 })
    await attached.debug.waitFor('terminated', { timeoutMs: EVENT_MS })
  })

  it.each(['restart', 'stop'] as const)('%s of the kernel does not wait for a script that stands still', async (what) => {
    const kernel = startKernel()
    const attached = await debuggerOf(kernel)
    const client = await kernel.connect()
    const path = script(kernel.home)
    await begin(attached, 'attach', {}, { [path]: [3] })
    const running = client.execute(program.text, { language, source: path })
    await stopped(attached.debug)
    if (what === 'stop') kernel.process.kill('SIGTERM')
    else await client.shutdown({ restart: true })
    expect(await running.done).toMatchObject({ status: 'error' })
    if (what === 'stop') {
      await attached.debug.ended
      expect((await kernel.ended()).code).toBe(0)
      return
    }
    const again = client.execute(program.text, { language, source: path })
    expect((await stopped(attached.debug)).line).toBe(3)
    await attached.debug.request('disconnect', {})
    expect(await again.done).toMatchObject({ status: 'ok' })
  })
})

describe('a kernel that Jupyter owns', { timeout: KERNEL_TEST_MS }, () => {
  it('SIGINT ends a cell that stands still, and its breakpoint stays; front ends ask in floods', async () => {
    const home = makeHome()
    const file = join(home, 'kernel-1.json')
    const ports = Object.fromEntries(['shell', 'iopub', 'stdin', 'control', 'hb'].map((name, index) => [`${name}_port`, index + 1]))
    writeFileSync(file, JSON.stringify({ transport: 'ipc', ip: join(home, 'sock'), ...ports, key: 'k', signature_scheme: 'hmac-sha256' }))
    const kernel = startKernel({ home, args: ['--connection-file', file] })
    const client = await kernel.connect()
    const ask = async (command: string, args: object = {}): Promise<Record<string, unknown>> => {
      const reply = await client.request('debug_request', { type: 'request', seq: 1, command, arguments: args })
      expect(reply, `${command}: ${JSON.stringify(reply)}`).toMatchObject({ success: true })
      return reply.body as Record<string, unknown>
    }
    const code = 'local count = 1\nprint(count)'
    await ask('initialize', { adapterID: 'llmspell' })
    await ask('attach')
    const { sourcePath } = await ask('dumpCell', { code })
    await ask('setBreakpoints', { source: { path: sourcePath }, breakpoints: [{ line: 2 }] })
    for (let round = 0; round < 2; round++) {
      const cell = client.execute(code)
      await until('the cell to stand still', async () => (await client.status()).execution_state === 'stopped')
      kernel.process.kill('SIGINT')
      expect(await cell.done).toMatchObject({ status: 'error', ename: 'Interrupted' })
    }
    // JupyterLab asks for all variables at each message of a cell.
    const printing = client.execute('for i = 1, 100000 do x = i end')
    await Promise.all(Array.from({ length: 300 }, () => ask('inspectVariables')))
    expect(await printing.done).toMatchObject({ status: 'ok' })
    await client.shutdown()
    expect((await kernel.ended()).code).toBe(0)
  })
})

describe('the listener', { timeout: KERNEL_TEST_MS }, () => {
  it('its socket is private, and gone with the kernel', async () => {
    const kernel = startKernel()
    const client = await kernel.connect()
    const server = (await client.startDebugServer()) as StartDebugServerReply & { path: string }
    expect(server.path).toBe(join(kernel.home, 'run', 'kernels', 'default-dap'))
    expect([statSync(server.path).mode & 0o777, statSync(dirname(server.path)).mode & 0o777]).toEqual([0o600, 0o700])
    kernel.process.kill('SIGTERM')
    await kernel.ended()
    expect(existsSync(server.path)).toBe(false)
  })

  it('what a killed kernel left is no obstacle to the next', async () => {
    const home = makeHome()
    const first = startKernel({ home })
    const place = await (await first.connect()).startDebugServer()
    first.process.kill('SIGKILL')
    await first.ended()
    await until('it to be gone', () => !isAlive(first.pid))
    const second = await (await startKernel({ home }).connect()).startDebugServer()
    expect(second).toEqual({ ...place, token: expect.any(String) })
    expect(second.token).not.toBe(place.token)
  })

  it('a trace shows what is said, and no token', async () => {
    const home = makeHome()
    mkdirSync(dirname(logOf(home)), { recursive: true })
    const kernel = startKernel({ home, args: ['--log-file', logOf(home)], env: { LLMSPELL_TRACE: 'dap,jupyter' } })
    const attached = await debuggerOf(kernel, 'tcp')
    await begin(attached, 'attach', {})
    await attached.debug.request('disconnect', {})
    const log = readFileSync(logOf(home), 'utf8')
    expect(log).toContain('"command":"configurationDone"')
    expect(log).not.toContain(attached.token)
  })
})
