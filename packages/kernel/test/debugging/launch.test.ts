import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { delay } from '@llmspell/base'
import { DapClient } from '@llmspell/dap'
import { nodeStream } from '@llmspell/dap/node'
import { luaEngineFactory } from '@llmspell/script/lua'
import { expect, onTestFinished, test } from 'vitest'
import type { CreateKernelOptions } from '../../src/index.ts'
import { manualClock } from '../support/manual-clock.ts'
import { ANSWER, type TestClient, type TestKernel, testKernel } from '../support/test-kernel.ts'

/** Milliseconds for what starts engines and moves megabytes on a loaded machine. */
const LONG = 120_000

test('a program gets arguments, directory and environment of its own; what it prints goes to its debugger and to IOPub', {
  timeout: LONG,
}, async () => {
  const { debug, client, kernel, write, dir } = await luaKernel({ env: { KEPT: 'kept', GONE: 'gone', PATH: '/bin' } })
  mkdirSync(join(dir, 'there'))
  const program = write(
    'x.lua',
    'print(...)\nprint(os.getenv("KEPT"), os.getenv("GONE"), os.getenv("NEW"))\nio.stderr:write("err\\n")\nprint(io.open("../x.lua") ~= nil)\nos.exit(7)\n',
  )
  const launched = debug.request('launch', {
    program,
    args: ['a b', 'c'],
    cwd: join(dir, 'there'),
    env: { NEW: 'new', GONE: null },
    ...debug.token,
  } as object)
  await debug.waitFor('initialized', { timeoutMs: ANSWER })
  await debug.request('configurationDone')
  await launched
  expect(await debug.waitFor('exited', { timeoutMs: ANSWER })).toEqual({ exitCode: 7 })
  const input = await client.next('execute_input')
  const id = input.parent_header.msg_id as string
  await client.idle(id)
  const published = client.published(id)
  expect(published[0]).toBe('busy')
  const texts = (name: string): string =>
    published.map((line) => (line.startsWith(`${name} `) ? (JSON.parse(line.slice(name.length)) as string) : '')).join('')
  expect([texts('stdout'), texts('stderr')]).toEqual(['a b\tc\nkept\tnil\tnew\ntrue\n', 'err\n'])
  expect(debug.printed('stdout')).toBe('a b\tc\nkept\tnil\tnew\ntrue\n')
  expect(debug.printed('stderr')).toContain('err\n')
  expect(kernel.status().counters).toMatchObject({ executions: 1, errors: 1 })
})

test('what cannot be launched is refused with the reason', { timeout: LONG }, async () => {
  const { kernel, write, dir, debugger: connectDebugger } = await luaKernel()
  const binary = write('binary.lua', '')
  writeFileSync(binary, Buffer.from([0xff, 0xfe, 0x00]))
  const attempts: [args: object, reason: string][] = [
    [{ program: join(dir, 'missing.lua') }, 'there is no such file'],
    [{ program: dir, language: 'lua' }, 'it is a directory'],
    [{ program: '/dev/zero', language: 'lua' }, 'it is a device or a pipe'],
    [{ program: binary }, 'it is not UTF-8 text'],
    [{ program: write('x.txt', '') }, 'its ending does not tell the language'],
    [{ program: write('x.ts', '') }, 'does not run typescript'],
    [{ program: 'x.lua' }, 'absolute'],
    [{ program: write('y.lua', ''), cwd: join(dir, 'nowhere') }, 'does not exist'],
    [{}, 'program'],
  ]
  for (const [args, reason] of attempts) {
    const debug = await connectDebugger()
    await expect(debug.request('launch', { ...args, ...debug.token } as object), reason).rejects.toThrow(reason)
  }
  expect(kernel.status()).toMatchObject({ execution_state: 'idle', executions: [] })
})

test('a script that reads input is told that nobody can answer', { timeout: LONG }, async () => {
  const { debug, write } = await luaKernel()
  await debug.run(write('ask.lua', 'print(pcall(input, "name? "))'))
  await debug.waitFor('exited', { timeoutMs: ANSWER })
  expect(debug.printed('stdout')).toContain('this client does not take input')
})

test('launches wait their turn like any run, and are listed', { timeout: LONG }, async () => {
  const { debug, client, kernel, write } = await luaKernel({ limits: { freshConcurrency: 1 } })
  const spinning = client.sendExecute('while true do end', {}, { llmspell: { namespace: 'fresh', source: '/spin.lua' } })
  await client.next('execute_input', spinning)
  const program = write('later.lua', 'print("at last")')
  const run = debug.run(program)
  await expect
    .poll(() => kernel.status().executions.map(({ source, state }) => [source, state]), { timeout: ANSWER })
    .toEqual([
      ['/spin.lua', 'running'],
      [program, 'queued'],
    ])
  await client.request('control', 'interrupt_request', {}, { llmspell: { execution: spinning } })
  await run
  expect(await debug.waitFor('exited', { timeoutMs: ANSWER })).toEqual({ exitCode: 0 })
  expect(debug.printed('stdout')).toBe('at last\n')
})

test('an interrupt of another client ends a launched run', { timeout: LONG }, async () => {
  const { debug, client, kernel, write } = await luaKernel()
  await debug.run(write('spin.lua', 'while true do end'))
  const [execution] = kernel.status().executions
  await client.request('control', 'interrupt_request', {}, { llmspell: { execution: execution?.msg_id } })
  expect(await debug.waitFor('exited', { timeoutMs: ANSWER })).toEqual({ exitCode: 130 })
})

test('a debugger that reads nothing holds up what prints, and nobody once it is gone', { timeout: LONG }, async () => {
  const { debug, client, kernel, write } = await luaKernel()
  await debug.run(write('flood.lua', 'local line = string.rep("x", 1000)\nfor i = 1, 60000 do print(line) end\nprint("end")'))
  debug.stopReading()
  const published = (): number | undefined => kernel.status().counters['published']
  const stalled = async (): Promise<boolean> => {
    const before = published()
    await delay(300)
    return published() === before && kernel.status().executions.length === 1
  }
  await expect.poll(stalled, { timeout: ANSWER }).toBe(true)
  expect((await client.request('control', 'kernel_info_request')).content['status']).toBe('ok')
  debug.socket.destroy()
  await client.find('the end of the flood', ({ content }) => String(content['text']).endsWith('end\n'))
  expect(kernel.status().debugger).toEqual({ sessions: 0, stopped: 0 })
})

test('a Jupyter front end that asks nothing any more lets its cell go on after the patience', { timeout: LONG }, async () => {
  const { client } = await luaKernel({ limits: { debugPatience: 300 } })
  let seq = 0
  const ask = async (command: string, args: object = {}): Promise<Record<string, unknown>> => {
    const reply = await client.request('control', 'debug_request', { type: 'request', seq: ++seq, command, arguments: args })
    expect(reply.content, command).toMatchObject({ success: true })
    return reply.content['body'] as Record<string, unknown>
  }
  const code = 'local x = 1\nprint(x)'
  await ask('initialize', { adapterID: 'x' })
  await ask('attach')
  const { sourcePath } = await ask('dumpCell', { code })
  await ask('setBreakpoints', { source: { path: sourcePath }, breakpoints: [{ line: 2 }] })
  const cell = client.sendExecute(code)
  await client.find('the stop', ({ header, content }) => header.msg_type === 'debug_event' && content['event'] === 'stopped')
  expect((await client.done(cell)).content['status']).toBe('ok')
  expect(await ask('debugInfo')).toMatchObject({ isStarted: false, breakpoints: [], stoppedThreads: [] })
})

test('a kernel is not idle while a debugger is attached', { timeout: LONG }, async () => {
  const clock = manualClock()
  const { client, kernel } = await luaKernel({ idleTimeout: 1000, clock })
  const ask = async (command: string): Promise<void> => {
    const reply = await client.request('control', 'debug_request', { type: 'request', seq: 1, command, arguments: { adapterID: 'x' } })
    expect(reply.content, command).toMatchObject({ success: true })
  }
  await ask('initialize')
  await ask('attach')
  clock.advance(60_000)
  expect(kernel.status().idle_for).toBe(0)
  await ask('disconnect')
  clock.advance(60_000)
  expect(await kernel.closed).toBe('idle_timeout')
})

interface LuaKernel extends TestKernel {
  client: TestClient
  dir: string
  /** A file in its directory. */
  write(name: string, text: string): string
  debugger(): Promise<TestDebugger>
}

async function luaKernel(options: Partial<CreateKernelOptions> = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'llmspell-launch-'))
  const test = await testKernel({
    engines: [luaEngineFactory({ catalogue: [] })],
    debugSocket: () => join(dir, 'dap'),
    env: {},
    ...options,
  })
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  const kernel: LuaKernel = {
    ...test,
    client: await test.connect(),
    dir,
    write(name, text) {
      writeFileSync(join(dir, name), text)
      return join(dir, name)
    },
    async debugger() {
      const { path, token } = (await kernel.client.request('control', 'start_debug_server_request')).content as {
        path: string
        token: string
      }
      const socket = connect({ path })
      onTestFinished(() => void socket.destroy())
      const debug = new TestDebugger(socket, token)
      await debug.request('initialize', { adapterID: 'llmspell' })
      return debug
    },
  }
  return { ...kernel, debug: await kernel.debugger() }
}

class TestDebugger extends DapClient {
  readonly socket: Socket
  readonly token: { token: string }
  readonly #reading: { goesOn: Promise<unknown> }
  readonly #output: { category?: string; output: string }[] = []

  constructor(socket: Socket, token: string) {
    const reading = { goesOn: Promise.resolve() as Promise<unknown> }
    super({ ...nodeStream(socket, socket), input: readWhile(socket, reading) })
    this.#reading = reading
    this.socket = socket
    this.token = { token }
    this.on('output', (body) => this.#output.push(body))
  }

  stopReading(): void {
    this.#reading.goesOn = new Promise(() => {})
  }

  printed(category: string): string {
    return this.#output
      .filter((output) => output.category === category)
      .map(({ output }) => output)
      .join('')
  }

  async run(program: string): Promise<void> {
    const launched = this.request('launch', { program, ...this.token } as object)
    await this.waitFor('initialized', { timeoutMs: ANSWER })
    await this.request('configurationDone')
    await launched
  }
}

async function* readWhile(socket: Socket, reading: { goesOn: Promise<unknown> }): AsyncGenerator<Uint8Array> {
  for await (const chunk of socket) {
    await reading.goesOn
    yield chunk as Uint8Array
  }
}
