import { duplexPair } from 'node:stream'
import { LlmspellError, withTimeout } from '@llmspell/base'
import { adapterCapabilities, type Dap, DapClient, Endpoint, type Handlers, messageStream } from '@llmspell/dap'
import { nodeStream } from '@llmspell/dap/node'
import { afterEach, expect, test } from 'vitest'
import type { KernelDebugger } from '../../src/debugging/kernel-debugger.ts'
import { DapProxy, type ProxyOptions } from '../../src/debugging/proxy.ts'

const clients: DapClient[] = []
afterEach(() => {
  for (const client of clients.splice(0)) client.close()
})

/** A kernel's debug session, as far as the proxy can tell. */
class Session {
  readonly received: Dap.Request[] = []
  readonly endpoint: Endpoint
  readonly stream: KernelDebugger['stream']
  readonly #close: () => void

  constructor(handlers: Handlers = {}) {
    const [ours, theirs] = duplexPair()
    this.stream = nodeStream(ours, ours)
    const messages = messageStream(nodeStream(theirs, theirs))
    const endpoint = new Endpoint({
      send: (message) => void messages.send(message),
      handlers: {
        initialize: () => ({ supportsStepBack: true }),
        launch: (_, { afterResponse }) => afterResponse(() => endpoint.event('initialized')),
        attach: (_, { afterResponse }) => afterResponse(() => endpoint.event('initialized')),
        disconnect: (_, { afterResponse }) => afterResponse(() => messages.close()),
        threads: () => ({ threads: [{ id: 1, name: 'main' }] }),
        ...handlers,
      },
    })
    this.endpoint = endpoint
    this.#close = () => messages.close()
    void messages.read((message) => {
      this.received.push(message as Dap.Request)
      endpoint.receive(message)
    })
  }

  /** As a kernel that dies. */
  close(): void {
    this.#close()
  }
}

function start(open: ProxyOptions['open'], more: Partial<ProxyOptions> & { handlers?: Handlers } = {}) {
  const [editor, adapter] = duplexPair()
  const diagnosed: string[] = []
  const { handlers, ...options } = more
  const done = new DapProxy({
    editor: messageStream(nodeStream(adapter, adapter)),
    open,
    diagnose: (text) => diagnosed.push(text),
    trace() {},
    ...options,
  }).run()
  done.catch(() => {})
  const events: string[] = []
  const client = new DapClient(nodeStream(editor, editor), { ...(handlers && { handlers }) })
  client.onEvent(({ event }) => events.push(event))
  clients.push(client)
  return { client, events, diagnosed, done, editor }
}

const opened = (session: Session) => async (): Promise<KernelDebugger> => ({
  stream: session.stream,
  token: 'kernel-token',
  kernel: 'default',
})

test('it answers initialize itself; the kernel hears it with launch, which gets the token and loses what is not its own', async () => {
  const session = new Session()
  const asked: (string | undefined)[] = []
  const { client } = start((kernel) => {
    asked.push(kernel)
    return opened(session)()
  })
  expect(await client.request('initialize', { adapterID: 'x', clientID: 'me' })).toEqual(adapterCapabilities)
  expect(asked).toEqual([])
  await client.request('launch', { program: '/x.lua', kernel: 'mine' })
  await client.waitFor('initialized')
  expect(asked).toEqual(['mine'])
  expect(session.received).toMatchObject([
    { seq: 1, command: 'initialize', arguments: { adapterID: 'x', clientID: 'me' } },
    { seq: 2, command: 'launch', arguments: { program: '/x.lua', token: 'kernel-token' } },
  ])
  expect(session.received[1]?.arguments).not.toHaveProperty('kernel')
  expect(await client.request('threads')).toEqual({ threads: [{ id: 1, name: 'main' }] })
})

test('what comes too early is refused, and the conversation goes on', async () => {
  const { client } = start(opened(new Session()))
  await expect(client.request('launch', { program: '/x' })).rejects.toMatchObject({ message: 'launch came before initialize' })
  await expect(client.request('initialize', {} as Dap.InitializeRequestArguments)).rejects.toMatchObject({
    message: 'initialize: arguments.adapterID is missing',
  })
  await client.request('initialize', { adapterID: 'x' })
  await expect(client.request('initialize', { adapterID: 'x' })).rejects.toMatchObject({ message: 'initialize came twice' })
  await expect(client.request('threads')).rejects.toMatchObject({ message: 'threads came before launch or attach' })
  await expect(client.request('launch', { kernel: 7 })).rejects.toMatchObject({ message: 'launch: arguments.kernel must be a string' })
  await client.request('attach', {})
})

test('a kernel that cannot be had is an error of launch with a hint; the next try may do better', async () => {
  let tries = 0
  const { client, diagnosed } = start(async () => {
    if (++tries === 1) throw new LlmspellError('no kernel "x" is running', { code: 'kernel.not_found', hint: 'Did you mean "y"?' })
    return opened(new Session())()
  })
  await client.request('initialize', { adapterID: 'x' })
  await expect(client.request('launch', {})).rejects.toMatchObject({ message: 'no kernel "x" is running\nDid you mean "y"?' })
  expect(diagnosed).toEqual(['no kernel "x" is running'])
  await client.request('launch', {})
})

test('what comes while the kernel starts waits for it', async () => {
  const gate = Promise.withResolvers<void>()
  const session = new Session({ setBreakpoints: () => ({ breakpoints: [] }) })
  const { client } = start(async () => {
    await gate.promise
    return opened(session)()
  })
  await client.request('initialize', { adapterID: 'x' })
  const answers = [client.request('launch', {}), client.request('setBreakpoints', { source: { path: '/x' } })]
  gate.resolve()
  await Promise.all(answers)
  expect(session.received.map(({ command }) => command)).toEqual(['initialize', 'launch', 'setBreakpoints'])
})

test('a slow start shows progress, and can be cancelled', async () => {
  const gate = Promise.withResolvers<KernelDebugger>()
  const { client, events } = start(() => gate.promise)
  await client.request('initialize', { adapterID: 'x', supportsProgressReporting: true })
  const launched = client.request('launch', {})
  const waiting = client.request('threads')
  const failures = Promise.allSettled([launched, waiting])
  const { progressId, title } = await client.waitFor('progressStart')
  expect(title).toBe('llmspell')
  await client.request('cancel', { progressId })
  await client.waitFor('progressEnd')
  expect(await failures).toMatchObject([
    { status: 'rejected', reason: { code: 'dap.cancelled' } },
    { status: 'rejected', reason: { message: 'launch or attach was cancelled' } },
  ])
  const session = new Session()
  gate.resolve(await opened(session)())
  // The late kernel is let go, and another launch may follow.
  await client.request('disconnect')
  expect(events).toEqual(['progressStart', 'progressEnd'])
  expect(session.received).toEqual([])
})

test('leaving while the kernel starts answers everything', async () => {
  const { client, done } = start(() => new Promise(() => {}))
  await client.request('initialize', { adapterID: 'x' })
  const launched = client.request('launch', {})
  const failed = expect(launched).rejects.toMatchObject({ code: 'dap.cancelled' })
  await client.request('disconnect')
  await failed
  await done
})

test("the kernel's own requests and their answers find each other, numbered anew", async () => {
  const session = new Session()
  const { client } = start(opened(session), { handlers: { runInTerminal: ({ args }) => ({ processId: args.length }) } })
  await client.request('initialize', { adapterID: 'x' })
  await client.request('attach', {})
  for (const args of [['a'], ['a', 'b']])
    expect(await session.endpoint.request('runInTerminal', { cwd: '/', args })).toEqual({ processId: args.length })
})

test('leaving ends it in silence, as soon as the kernel lets go', async () => {
  const { client, diagnosed, done } = start(opened(new Session()))
  await client.request('initialize', { adapterID: 'x' })
  await client.request('attach', {})
  await client.request('disconnect')
  await withTimeout(done, 1_500, 'the end after disconnect')
  expect(diagnosed).toEqual([])
})

test('terminated comes once, however often the kernel says it', async () => {
  const session = new Session()
  const { client, events, done } = start(opened(session))
  await client.request('initialize', { adapterID: 'x' })
  await client.request('attach', {})
  session.endpoint.event('terminated')
  session.endpoint.event('terminated')
  await client.request('threads')
  await client.request('disconnect')
  await done
  expect(events.filter((event) => event === 'terminated')).toHaveLength(1)
})

test('a kernel that dies is told: what was asked fails, terminated comes once, and leaving works', async () => {
  const session = new Session({ evaluate: () => new Promise(() => {}) })
  const { client, events, diagnosed, done } = start(opened(session))
  await client.request('initialize', { adapterID: 'x' })
  await client.request('attach', {})
  const asked = client.request('evaluate', { expression: 'x' })
  session.close()
  await expect(asked).rejects.toMatchObject({ message: 'the debugger of the kernel "default" is gone: the kernel closed the connection' })
  expect((await client.waitFor('output')).output).toContain('is gone')
  await expect(client.request('threads')).rejects.toMatchObject({ message: expect.stringContaining('is gone') })
  await client.request('disconnect')
  await done
  expect(events.filter((event) => event === 'terminated')).toHaveLength(1)
  expect(diagnosed).toHaveLength(1)
})

test('a token is asked for, and the third wrong one ends it', async () => {
  const session = new Session()
  const { client, done } = start(opened(session), { token: 'secret' })
  await client.request('initialize', { adapterID: 'x' })
  for (const token of ['secret2', undefined, 7])
    await expect(client.request('launch', { token })).rejects.toMatchObject({
      message: expect.stringContaining('token is missing or wrong'),
    })
  await done
  expect((await client.ended)?.code).toBe('dap.closed')
  expect(session.received).toEqual([])
})

test('the right token is replaced by that of the kernel', async () => {
  const session = new Session()
  const { client } = start(opened(session), { token: 'secret' })
  await client.request('initialize', { adapterID: 'x' })
  await client.request('attach', { token: 'secret' })
  expect(session.received[1]?.arguments).toEqual({ token: 'kernel-token' })
})

test('an editor that goes away without a word takes the connection to the kernel with it', async () => {
  const session = new Session()
  const { client, done } = start(opened(session))
  await client.request('initialize', { adapterID: 'x' })
  await client.request('attach', {})
  client.close()
  await done
  expect(session.received.map(({ command }) => command)).toEqual(['initialize', 'attach'])
})

test('garbage ends it with what was wrong', async () => {
  const { editor, done } = start(opened(new Session()))
  editor.write('GET / HTTP/1.1\r\n')
  await expect(done).rejects.toMatchObject({ code: 'dap.bad_header' })
})
