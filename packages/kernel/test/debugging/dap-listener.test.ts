import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { withTimeout } from '@llmspell/base'
import { type Dap, encodeMessage, MessageDecoder } from '@llmspell/dap'
import { expect, onTestFinished, test } from 'vitest'
import type { CreateKernelOptions } from '../../src/index.ts'
import { manualClock } from '../support/manual-clock.ts'
import { ANSWER, type TestClient, type TestKernel, testKernel } from '../support/test-kernel.ts'

test('closed until it is asked for, then at the same place with the same token', async () => {
  const { client, socket } = await kernelWithSocket()
  await expect(knock({ path: socket })).rejects.toThrow('ENOENT')
  const first = await start(client)
  expect(first).toEqual({ status: 'ok', transport: 'unix', path: socket, token: expect.stringMatching(/^[\w-]{43}$/) })
  expect(await start(client)).toEqual(first)
  expect(statSync(socket).mode & 0o777).toBe(0o600)
  const tcp = await start(client, { transport: 'tcp' })
  expect(tcp).toMatchObject({ status: 'ok', transport: 'tcp', ip: '127.0.0.1', token: first['token'] })
  expect((await client.request('control', 'stop_debug_server_request')).content).toEqual({ status: 'ok', stopped: true })
  await expect(knock({ path: socket })).rejects.toThrow('ENOENT')
  expect((await client.request('control', 'stop_debug_server_request')).content).toEqual({ status: 'ok', stopped: false })
  expect((await start(client))['token']).not.toBe(first['token'])
})

test('a kernel without a directory for sockets listens on a port', async () => {
  const client = await (await testKernel()).connect()
  expect(await start(client)).toMatchObject({ transport: 'tcp', ip: '127.0.0.1' })
  expect(await start(client, { transport: 'unix' })).toMatchObject({ status: 'error', ename: 'NotSupported' })
})

test('a port that is taken, another than the one in use, and no port at all are refused with words', async () => {
  const client = await (await testKernel()).connect()
  const other = createServer()
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void other.close())
  const { port } = other.address() as { port: number }
  expect(await start(client, { port })).toMatchObject({ status: 'error', evalue: expect.stringContaining('it is taken') })
  const { port: chosen } = await start(client, { transport: 'tcp' })
  expect(await start(client, { port })).toMatchObject({ status: 'error', evalue: expect.stringContaining(`port ${chosen} of this kernel`) })
  for (const wrong of [{ port: 99999 }, { port: 'x' }, { transport: 'pigeon' }])
    expect(await start(client, wrong)).toMatchObject({ status: 'error', ename: 'InvalidRequest' })
})

test('the socket of a kernel that was killed is taken over, the one of a kernel that lives is not', async () => {
  const first = await kernelWithSocket()
  const second = await kernelWithSocket({}, first.socket)
  await start(first.client)
  expect(await start(second.client)).toMatchObject({ status: 'error', evalue: expect.stringContaining('it is taken') })
  expect(await start(first.client)).toMatchObject({ status: 'ok' })
  await first.kernel.stop('killed')
  expect(await start(second.client)).toMatchObject({ status: 'ok', path: first.socket })
})

test('without the token a client says initialize and nothing else', async () => {
  const debug = await debugger_((await kernelWithSocket()).client)
  expect((await debug.request('initialize', { adapterID: 'llmspell' })).command).toBe('initialize')
  for (const command of ['threads', 'setBreakpoints', 'evaluate', 'configurationDone'])
    expect(await debug.request(command)).toMatchObject({ success: false, message: `${command} must come after launch or attach` })
  expect(await debug.request('attach', {})).toMatchObject({ success: false, message: expect.stringContaining('the token is missing') })
  expect(await debug.request('attach', { token: 7 })).toMatchObject({
    success: false,
    message: expect.stringContaining('the token is wrong'),
  })
  const last = await debug.request('launch', { token: `${debug.token}x`, program: '/x.lua' })
  expect(last).toMatchObject({ success: false, body: { error: { showUser: true, format: expect.stringContaining('start_debug_server') } } })
  await debug.closed()
  expect(debug.said()).toContain('no token was right')
})

test('a client that leaves before it has shown the token is answered', async () => {
  const debug = await debugger_((await kernelWithSocket()).client)
  expect(await debug.request('disconnect')).toMatchObject({ success: true })
  await debug.closed()
})

test.each([
  ['another protocol', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n', 'may not speak the Debug Adapter Protocol'],
  ['bytes', Buffer.from([0, 1, 2, 0xff, 0xfe, 0x0a, 0x0d]), 'this is no header'],
  ['no JSON', 'Content-Length: 4\r\n\r\n{{{{', 'not JSON'],
  ['a length that cannot be', 'Content-Length: 999999999999\r\n\r\n', 'longer than'],
  ['more than a stranger may send', `Content-Length: 300000\r\n\r\n${' '.repeat(300_000)}`, 'without the token'],
])('%s: the connection is closed, and says why', async (_, bytes, words) => {
  const { client } = await kernelWithSocket()
  const debug = await debugger_(client)
  debug.socket.write(bytes)
  await debug.closed()
  expect(debug.said()).toContain(words)
  const status = await client.request('control', 'kernel_status_request')
  expect(status.content['debugger']).toEqual({ sessions: 0, stopped: 0 })
  expect(await (await debugger_(client)).request('threads')).toMatchObject({ success: false })
})

test('messages that are no requests are no danger', async () => {
  const debug = await debugger_((await kernelWithSocket()).client)
  for (const odd of [
    null,
    7,
    'x',
    [],
    {},
    { type: 'event' },
    { type: 'response', request_seq: 1 },
    { type: 'request', command: 5, seq: 'a' },
  ])
    debug.socket.write(encodeMessage(odd as unknown as Dap.ProtocolMessage))
  expect(await debug.request('threads')).toMatchObject({ success: false })
})

test('split and joined chunks are the same messages', async () => {
  const debug = await debugger_((await kernelWithSocket()).client)
  const two = Buffer.concat(
    [1, 2].map((seq) => Buffer.from(encodeMessage({ seq, type: 'request', command: 'thréads' } as Dap.ProtocolMessage))),
  )
  for (const byte of two) {
    debug.socket.write(Buffer.from([byte]))
    await new Promise((resolve) => setImmediate(resolve))
  }
  debug.socket.write(Buffer.concat([two, two]))
  await debug.until('six answers', () => debug.messages.length === 6)
})

test('it closes when nobody has been connected for ten minutes, and not while somebody is', async () => {
  const clock = manualClock()
  const { client } = await kernelWithSocket({ clock })
  const first = await start(client)
  const debug = await debugger_(client)
  clock.advance(11 * 60_000)
  // A stranger has a minute.
  await debug.closed()
  expect(debug.said()).toContain('the token did not come in time')
  expect(await start(client)).toEqual(first)
  clock.advance(9 * 60_000)
  expect(await start(client)).toEqual(first)
  clock.advance(11 * 60_000)
  expect((await start(client))['token']).not.toBe(first['token'])
})

test('more debuggers than a kernel takes are turned away', async () => {
  const { client } = await kernelWithSocket()
  const all = await Promise.all(Array.from({ length: 32 }, () => debugger_(client)))
  const oneMore = await debugger_(client)
  await oneMore.closed()
  expect(await (all[0] as Debugger).request('threads')).toMatchObject({ success: false })
})

test('when the kernel stops its debuggers are disconnected and the socket is gone', async () => {
  const { kernel, client, socket } = await kernelWithSocket()
  const debug = await debugger_(client)
  await kernel.stop('end')
  await debug.closed()
  await expect(knock({ path: socket })).rejects.toThrow('ENOENT')
})

async function kernelWithSocket(
  options: Partial<CreateKernelOptions> = {},
  at?: string,
): Promise<TestKernel & { client: TestClient; socket: string }> {
  const dir = mkdtempSync(join(tmpdir(), 'llmspell-dap-'))
  const socket = at ?? join(dir, 'kernel-dap')
  const kernel = await testKernel({ debugSocket: () => socket, ...options })
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }))
  return { ...kernel, client: await kernel.connect(), socket }
}

async function start(client: TestClient, content: object = {}): Promise<Record<string, unknown>> {
  return (await client.request('control', 'start_debug_server_request', content)).content
}

type Place = { path: string } | { host: string; port: number }

function knock(place: Place): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(place)
    socket.once('connect', () => resolve(socket))
    socket.once('error', reject)
  })
}

type Debugger = Awaited<ReturnType<typeof debugger_>>

/** A connection that keeps all it is sent. */
async function debugger_(client: TestClient) {
  const { path, token } = (await start(client)) as { path: string; token: string }
  const socket = await knock({ path })
  onTestFinished(() => void socket.destroy())
  const decoder = new MessageDecoder()
  const messages: Record<string, unknown>[] = []
  const watchers = new Set<() => void>()
  let seq = 0
  const look = (): void => {
    for (const watcher of [...watchers]) watcher()
  }
  socket.on('data', (chunk) => {
    decoder.push(chunk as Buffer, (message) => messages.push(message as Record<string, unknown>))
    look()
  })
  socket.on('error', () => {})
  socket.on('close', look)
  const until = (what: string, met: () => boolean): Promise<void> =>
    withTimeout(
      new Promise<void>((resolve) => {
        const watcher = (): void => {
          if (!met()) return
          watchers.delete(watcher)
          resolve()
        }
        watchers.add(watcher)
        watcher()
      }),
      ANSWER,
      what,
    )
  return {
    socket,
    token,
    messages,
    until,
    closed: () => until('the connection to close', () => socket.closed),
    said: () => messages.map((message) => JSON.stringify(message['body'] ?? '')).join('\n'),
    async request(command: string, args?: object): Promise<Record<string, unknown>> {
      const request_seq = ++seq
      socket.write(encodeMessage({ seq: request_seq, type: 'request', command, ...(args && { arguments: args }) } as Dap.ProtocolMessage))
      const found = (): Record<string, unknown> | undefined => messages.find((message) => message['request_seq'] === request_seq)
      await until(`the answer to ${command}`, () => found() !== undefined)
      return found() as Record<string, unknown>
    },
  }
}
