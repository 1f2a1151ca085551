import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, rmdirSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { codeOf, delay, withTimeout } from '@llmspell/base'
import { type ConnectionInfo, endpointOf, type Message, Session, WireCodec } from '@llmspell/jupyter'
import { createSigner } from '@llmspell/jupyter/signer'
import { describe, expect, it, vi } from 'vitest'
import { bindKernelSockets, type Carrier, connectKernel } from '../src/index.ts'
import { encodeGreeting, encodeReady } from '../src/zmtp/framing.ts'
import {
  bound,
  cleanup,
  ipcConnection,
  recordingLogger,
  STEP_TIMEOUT_MS,
  tcpConnection,
  temporaryDirectory,
  until,
} from './support/kernel.ts'
import { RawPeer } from './support/raw-peer.ts'

const MIB = 1024 * 1024
const session = new Session({ username: 'kernel' })

const stream = (text: string): Message<object> => session.create('stream', { name: 'stdout', text })
const status = (execution_state: 'busy' | 'idle'): Message<object> => session.create('status', { execution_state })
const signedFrames = (connection: ConnectionInfo, message: Message<object>): Uint8Array[] =>
  new WireCodec({ signer: createSigner(connection) }).encode(message)

describe.each<Carrier>(['zmtp', 'libzmq'])('binding (%s)', (carrier) => {
  it('chooses free ports and tells them', async () => {
    const kernel = await bound({ carrier })
    const { shell_port, iopub_port, stdin_port, control_port, hb_port } = kernel.connection
    const ports = [shell_port, iopub_port, stdin_port, control_port, hb_port]
    expect(new Set(ports).size).toBe(5)
    for (const port of ports) expect(port).toBeGreaterThan(0)
  })

  it('names the socket and the address that is in use', async () => {
    const taken = await listening()
    const port = (taken.address() as { port: number }).port
    const attempt = bindKernelSockets({ connection: tcpConnection({ control_port: port }), carrier })
    await expect(attempt).rejects.toMatchObject({
      code: 'zmq.address_in_use',
      data: { socket: 'control', endpoint: `tcp://127.0.0.1:${port}` },
    })
  })

  it('leaves nothing bound when one address is in use', async () => {
    const directory = temporaryDirectory()
    const connection = ipcConnection(directory)
    const other = join(directory, 'nowhere', 'kernel')
    await expect(bindKernelSockets({ connection: { ...connection, ip: other }, carrier })).rejects.toMatchObject({
      code: 'zmq.bind_failed',
    })
    mkdirSync(`${connection.ip}-4`)
    await expect(bindKernelSockets({ connection, carrier })).rejects.toMatchObject({ data: { socket: 'control' } })
    rmdirSync(`${connection.ip}-4`)
    // libzmq lets go of an address a moment after its socket was closed.
    await vi.waitFor(() => expect(readdirSync(directory)).toEqual([]), STEP_TIMEOUT_MS)
    await bound({ carrier, connection })
  })

  it('takes the place of sockets a killed kernel left behind', async () => {
    const directory = temporaryDirectory()
    const connection = ipcConnection(directory)
    writeFileSync(endpointOf(connection, 'shell').slice('ipc://'.length), '')
    const kernel = await bound({ carrier, connection })
    await kernel.open()
    const client = connectKernel(connection, { carrier: 'libzmq' })
    cleanup(() => client.close())
    await withTimeout(client.open(), STEP_TIMEOUT_MS, 'the client')
  })
})

describe('ipc sockets', () => {
  it('are for their owner alone', async () => {
    const connection = ipcConnection(temporaryDirectory())
    await bound({ connection })
    expect(statSync(`${connection.ip}-1`).mode & 0o777).toBe(0o600)
  })

  it('of a living kernel are not taken', async () => {
    const connection = ipcConnection(temporaryDirectory())
    await bound({ connection })
    await expect(bindKernelSockets({ connection })).rejects.toMatchObject({ code: 'zmq.address_in_use' })
  })
})

describe('a signature scheme or key that cannot work', () => {
  it('is refused before anything is bound', async () => {
    await expect(bindKernelSockets({ connection: tcpConnection({ signature_scheme: 'rot13' }) })).rejects.toMatchObject({
      code: 'wire.unknown_scheme',
    })
    await expect(bindKernelSockets({ connection: tcpConnection({ curve_publickey: 'x'.repeat(40) }) })).rejects.toMatchObject({
      code: 'zmq.curve_key_missing',
    })
  })
})

describe('bad input', () => {
  it('is dropped, counted and logged a few times a second, and good input still arrives', async () => {
    const logger = recordingLogger()
    const kernel = await bound({ logger })
    const arrived: string[] = []
    kernel.onMessage(({ message }) => arrived.push(message.header.msg_type))
    await kernel.open()
    const peer = new RawPeer(kernel.connection, 'shell')
    await peer.handshake('DEALER', 'mallory')
    const request = new Session().createRaw('good_request', 'shell', {})
    const good = signedFrames(kernel.connection, request)
    const foreign = signedFrames({ ...kernel.connection, key: 'another key' }, request)
    for (let i = 0; i < 200; i++) {
      peer.send(foreign)
      peer.send([good[0] as Uint8Array, '', ...good.slice(2)])
      peer.send(good.slice(0, 1 + (i % 5)))
      peer.send(good.slice(1))
      peer.send([randomBytes(20)])
      peer.send([])
    }
    peer.send(good)
    peer.send(good)
    await until('the good message', () => arrived.length > 0)
    await until('the replayed message', () => kernel.dropped['wire.replayed'] === 1)
    expect(arrived).toEqual(['good_request'])
    expect(kernel.dropped).toMatchObject({
      'wire.bad_signature': 200,
      'wire.unsigned': 200,
      'wire.too_few_parts': 200,
      'wire.no_delimiter': 400,
    })
    expect(logger.lines.length).toBeGreaterThan(0)
    expect(logger.lines.length).toBeLessThan(100)
    expect(JSON.stringify(logger.lines)).not.toContain('a key')
  })

  it('that is no ZMTP at all closes its own connection only', async () => {
    const kernel = await bound()
    await kernel.open()
    const client = connectKernel(kernel.connection)
    cleanup(() => client.close())
    await client.open()
    const half = new RawPeer(kernel.connection, 'shell')
    half.write(encodeGreeting().subarray(0, 30))
    const attacks = (['shell', 'control', 'stdin', 'iopub', 'hb'] as const).flatMap((socket) =>
      [
        'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'.padEnd(64),
        randomBytes(4096),
        Buffer.concat([encodeGreeting(), randomBytes(500)]),
        Buffer.concat([encodeGreeting(), encodeReady('PUSH', Buffer.alloc(0))]),
        Buffer.concat([encodeGreeting(), encodeReady('DEALER', Buffer.alloc(300))]),
        Buffer.concat([encodeGreeting(), Buffer.from([0, 1, 65])]),
      ].map((bytes) => {
        const peer = new RawPeer(kernel.connection, socket)
        peer.write(bytes)
        return peer
      }),
    )
    await until('the attackers to be cut off', () => attacks.every((peer) => peer.closed))
    expect(kernel.dropped['zmtp.protocol']).toBeGreaterThan(0)
    expect(await client.ping(STEP_TIMEOUT_MS)).toBeGreaterThanOrEqual(0)
  })

  it('of 100 MB is refused, and the connection goes on', async () => {
    const kernel = await bound({ maxMessageBytes: 80 * MIB })
    const arrived: string[] = []
    kernel.onMessage(({ message }) => arrived.push(message.header.msg_type))
    await kernel.open()
    const client = connectKernel(kernel.connection)
    cleanup(() => client.close())
    const refusals: Message[] = []
    client.onMessage((message) => {
      if (message.channel === 'shell') refusals.push(message)
    })
    await client.open()
    const own = new Session()
    client.send('shell', own.createRaw('big_json_request', 'shell', { code: 'x'.repeat(70 * MIB) }))
    client.send('shell', own.createRaw('big_message_request', 'shell', {}, { buffers: [new Uint8Array(100 * MIB)] }))
    client.send('shell', own.createRaw('small_request', 'shell', {}))
    await until('the small message', () => arrived.includes('small_request'))
    await until('the refusal', () => refusals.length === 1)
    expect(refusals[0]).toMatchObject({ header: { msg_type: 'big_json_reply' }, content: { status: 'error', ename: 'wire.too_large' } })
    expect(arrived.filter((type) => type !== 'kernel_info_request')).toEqual(['small_request'])
    expect(kernel.dropped).toMatchObject({ 'wire.too_large': 1, 'zmtp.too_large': 1 })
  })
})

describe('what cannot be sent', () => {
  it('is counted and logged, and a reply says why', async () => {
    const kernel = await bound()
    kernel.onMessage(({ message, peer }) => {
      kernel.publish('t', session.createRaw('display_data', 'iopub', { data: { 'application/json': 1n } }, { parent: message }))
      kernel.send('shell', peer, session.createRaw('a_reply', 'shell', { big: 1n }, { parent: message }))
    })
    await kernel.open()
    const client = connectKernel(kernel.connection)
    cleanup(() => client.close())
    const replies: Message[] = []
    client.onMessage((message) => replies.push(message))
    await client.open()
    client.send('shell', new Session().createRaw('a_request', 'shell', {}))
    await until('the reply', () => replies.length === 1)
    expect(replies[0]?.content).toMatchObject({ status: 'error', ename: 'wire.unencodable' })
    expect(kernel.dropped['wire.unencodable']).toBe(2)
  })
})

describe('a reply of any size', () => {
  it('reaches a client that reads', async () => {
    const kernel = await bound({ maxSubscriberBytes: MIB })
    const text = 'x'.repeat(20 * MIB)
    kernel.onMessage(({ message, peer }) =>
      kernel.send('shell', peer, session.createRaw('a_reply', 'shell', { text }, { parent: message })),
    )
    await kernel.open()
    const client = connectKernel(kernel.connection)
    cleanup(() => client.close())
    let length = 0
    client.onMessage((message) => {
      length = String(message.content['text']).length
    })
    await client.open()
    client.send('shell', new Session().createRaw('a_request', 'shell', {}))
    await until('the reply', () => length === text.length)
  })
})

describe('a client that comes back under its identity', () => {
  it('takes the place of its old connection', async () => {
    const kernel = await bound()
    const peers: unknown[] = []
    kernel.onMessage(({ peer, message }) => {
      peers.push(peer)
      kernel.send('shell', peer, session.createRaw('a_reply', 'shell', {}, { parent: message }))
    })
    await kernel.open()
    const first = new RawPeer(kernel.connection, 'shell')
    await first.handshake('DEALER', 'same')
    const second = new RawPeer(kernel.connection, 'shell')
    await second.handshake('DEALER', 'same')
    await until('the old connection to end', () => first.closed)
    second.send(signedFrames(kernel.connection, new Session().createRaw('a_request', 'shell', {})))
    await until('the reply', () => second.messages.length === 1)
    expect(peers).toEqual([[Buffer.from('same')]])
  })
})

describe('subscriptions', () => {
  it('by topic get what begins with it, and a welcome each; cancelled ones get nothing', async () => {
    const kernel = await bound()
    await kernel.open()
    const peer = new RawPeer(kernel.connection, 'iopub')
    await peer.handshake('SUB')
    peer.send(['\x01stream'])
    await until('the welcome', () => peer.messages.length === 1)
    expect(peer.messages[0]?.[0]?.toString()).toBe('stream')
    expect(JSON.parse(String(peer.messages[0]?.at(-1)))).toEqual({ subscription: 'stream' })
    expect(JSON.parse(String(peer.messages[0]?.at(-3)))).toEqual({})
    kernel.publish('status', status('busy'))
    kernel.publish('stream.stdout', stream('one'))
    await until('the stream', () => peer.messages.length === 2)
    peer.send(['\x00stream'])
    peer.send(['\x01status'])
    await until('the second welcome', () => peer.messages.length === 3)
    kernel.publish('stream.stdout', stream('two'))
    kernel.publish('status', status('idle'))
    await until('the status', () => peer.messages.length === 4)
    expect(peer.messages.map((frames) => String(frames[0]))).toEqual(['stream', 'stream.stdout', 'status', 'status'])
  })
})

describe('a subscriber that asks for too much is disconnected with a word in the log', () => {
  it.each([
    ['a huge topic', (peer: RawPeer) => peer.send([`\x01${'x'.repeat(4 * MIB)}`])],
    ['topics without end', (peer: RawPeer) => peer.write(Buffer.concat(Array.from({ length: 1001 }, (_, i) => topicFrame(`topic ${i}`))))],
  ])('%s', async (_, ask) => {
    const logger = recordingLogger()
    const kernel = await bound({ logger })
    await kernel.open()
    const peer = new RawPeer(kernel.connection, 'iopub')
    await peer.handshake('SUB')
    ask(peer)
    await until('the end of the connection', () => peer.closed)
    expect(JSON.stringify(logger.lines)).toContain('1000 topics of 4096 octets')
  })

  const topicFrame = (topic: string): Buffer => Buffer.concat([Buffer.from([0, topic.length + 1, 1]), Buffer.from(topic)])
})

describe('a subscriber that stops reading', () => {
  const piece = stream('x'.repeat(64 * 1024))

  async function stalledAndHealthy(options: Parameters<typeof bound>[0]) {
    const logger = recordingLogger()
    const kernel = await bound({ logger, ...options })
    await kernel.open()
    const stalled = new RawPeer(kernel.connection, 'iopub')
    await stalled.handshake('SUB')
    stalled.send(['\x01'])
    await until('the welcome', () => stalled.messages.length === 1)
    stalled.socket.pause()
    const healthy = connectKernel(kernel.connection)
    cleanup(() => healthy.close())
    let seen = 0
    healthy.onMessage(() => seen++)
    await healthy.open()
    return { kernel, stalled, logger, seen: () => seen }
  }

  it('holds up output while patience lasts, and gets all of it when it reads again', async () => {
    const { kernel, stalled } = await stalledAndHealthy({ patienceMs: STEP_TIMEOUT_MS })
    const count = 400
    for (let i = 0; i < count; i++) kernel.publish('stream', piece)
    kernel.publish('status', status('idle'))
    let flushed = false
    void kernel.flushed().then(() => {
      flushed = true
    })
    await delay(300)
    expect([flushed, kernel.backlog > MIB]).toEqual([false, true])
    stalled.socket.resume()
    await until('all output', () => stalled.messages.length === count + 2)
    await until('the flush', () => flushed)
    expect(String(stalled.messages.at(-1)?.[0])).toBe('status')
    expect(kernel.backlog).toBe(0)
  })

  it('no longer counts when patience is over, misses output beyond the bound, and never a status', async () => {
    const bytes = 4 * MIB
    const { kernel, stalled, logger, seen } = await stalledAndHealthy({ patienceMs: 1000, maxSubscriberBytes: bytes })
    let published = 0
    const burst = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        kernel.publish('status', status('busy'))
        kernel.publish('stream', piece)
        kernel.publish('status', status('idle'))
        published += 3
      }
      await withTimeout(kernel.flushed(), STEP_TIMEOUT_MS, 'the flush')
    }
    await burst(200)
    await until('the stall to be noticed', () => logger.lines.some(({ message }) => message.includes('takes no output')))
    expect(kernel.backlog).toBeLessThan(MIB)
    for (let i = 0; i < 10; i++) await burst(100)
    await until('the healthy one to have all', () => seen() === published)
    stalled.socket.resume()
    const statuses = (): number => stalled.messages.filter((frames) => String(frames[0]) === 'status').length
    await until('every status', () => statuses() === (published / 3) * 2)
    const streams = stalled.messages.filter((frames) => String(frames[0]) === 'stream').length
    expect(streams).toBeGreaterThan(0)
    expect(streams).toBeLessThan(published / 3)
    await burst(1)
    await until('it to be served again', () => String(stalled.messages.at(-1)?.[0]) === 'status' && statuses() === (published / 3) * 2)
    await until('the loss to be told', () => logger.lines.some(({ message }) => message.includes('missed output')))
  })
})

describe('closing', () => {
  it('does not wait for a peer that does not read', async () => {
    const kernel = await bound({ lingerMs: 100 })
    await kernel.open()
    const stalled = new RawPeer(kernel.connection, 'iopub')
    await stalled.handshake('SUB')
    stalled.send(['\x01'])
    await until('the welcome', () => stalled.messages.length === 1)
    stalled.socket.pause()
    for (let i = 0; i < 200; i++) kernel.publish('stream', stream('x'.repeat(64 * 1024)))
    await withTimeout(kernel.close(), STEP_TIMEOUT_MS, 'close')
    await withTimeout(kernel.flushed(), STEP_TIMEOUT_MS, 'flushed after close')
  })

  it('removes the files of its sockets', async () => {
    const connection = ipcConnection(temporaryDirectory())
    const kernel = await bound({ connection })
    await kernel.close()
    expect(() => statSync(`${connection.ip}-1`)).toThrow('ENOENT')
  })
})

describe('a client', () => {
  it('is told at once that nobody listens', async () => {
    const kernel = await bound()
    await kernel.close()
    const client = connectKernel(kernel.connection, { refusedGraceMs: 50 })
    await expect(client.open()).rejects.toMatchObject({ code: 'transport.refused' })
    expect(codeOf(await client.closed)).toBe('transport.refused')
  })

  it('waits for a kernel that is about to listen', async () => {
    const connection = ipcConnection(temporaryDirectory())
    const client = connectKernel(connection, { refusedGraceMs: STEP_TIMEOUT_MS })
    cleanup(() => client.close())
    const opening = client.open()
    await delay(200)
    const kernel = await bound({ connection })
    await kernel.open()
    await withTimeout(opening, STEP_TIMEOUT_MS, 'the client')
  })

  it.each<Carrier>(['zmtp', 'libzmq'])('says so when nothing answers in time (%s)', async (carrier) => {
    const kernel = await bound()
    const client = connectKernel(kernel.connection, { connectTimeoutMs: 100, carrier })
    await expect(client.open()).rejects.toMatchObject({ code: 'transport.connect_timeout' })
  })

  it('with the wrong key is told that signatures do not match', async () => {
    const kernel = await bound()
    await kernel.open()
    const client = connectKernel({ ...kernel.connection, key: 'wrong' })
    await expect(client.open()).rejects.toMatchObject({ code: 'wire.bad_signature' })
  })

  it('may be closed while it opens', async () => {
    const kernel = await bound()
    const client = connectKernel(kernel.connection)
    const opening = client.open()
    await client.close()
    await expect(opening).rejects.toMatchObject({ code: 'transport.closed' })
  })
})

async function listening(): Promise<Server> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanup(() => new Promise((resolve) => server.close(resolve)))
  return server
}
