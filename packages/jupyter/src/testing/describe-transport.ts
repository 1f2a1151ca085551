import { codeOf, delay, LlmspellError, withTimeout } from '@llmspell/base'
import { afterEach, describe, expect, it, vi } from 'vitest'
import type { Message } from '../message.ts'
import { Session } from '../session.ts'
import type { ClientTransport, IncomingMessage, KernelTransport, Peer } from '../transport.ts'

/** A kernel's end that is not open yet, and clients' ends to it. */
export interface TransportPair {
  kernel: KernelTransport
  connect(): ClientTransport
  /** What is left to clean when both ends are closed. */
  dispose?(): Promise<void> | void
}

export interface TransportSuite {
  create(): Promise<TransportPair>
}

/** Long enough for a machine that does ten other things; nothing here measures speed. */
const STEP_TIMEOUT_MS = 30_000
const TEST_TIMEOUT_MS = 120_000
/** Time in which what must not come would have come. */
const SETTLE_MS = 100
const MIB = 1024 * 1024

/** What every carrier owes to kernels and clients. Run it in a test file: `describeTransport('my carrier', { create })`. */
export function describeTransport(name: string, suite: TransportSuite): void {
  describe(name, { timeout: TEST_TIMEOUT_MS }, () => {
    const cleanups: (() => Promise<void> | void)[] = []

    afterEach(async () => {
      for (const clean of cleanups.splice(0).reverse()) await clean()
    })

    async function pair(): Promise<{ kernel: TestKernel; client(): Promise<TestClient>; unopened(): TestClient; start(): Promise<void> }> {
      const { kernel: transport, connect, dispose } = await suite.create()
      cleanups.push(async () => {
        await transport.close()
        await dispose?.()
      })
      const unopened = (): TestClient => {
        const client = new TestClient(connect())
        cleanups.push(() => client.transport.close())
        return client
      }
      return {
        kernel: new TestKernel(transport),
        start: () => transport.open(),
        unopened,
        async client() {
          const client = unopened()
          await withTimeout(client.transport.open(), STEP_TIMEOUT_MS, 'a client to open')
          return client
        },
      }
    }

    it('carries a request and its reply whole, on every channel of requests', async () => {
      const { kernel, client: connect, start } = await pair()
      await start()
      const client = await connect()
      for (const channel of ['shell', 'control', 'stdin'] as const) {
        const content = { code: 'print("π 😀 \u0000 \\")', nested: { list: [1, null, true, 1.5e-7] } }
        const buffers = [new Uint8Array(0), new Uint8Array([0, 255, 1]), new Uint8Array(300).fill(7)]
        const request = client.session.createRaw('probe_request', channel, content, { buffers, metadata: { a: { b: [1] } } })
        client.transport.send(channel, request)
        const { message, peer, channel: arrivedOn } = await kernel.next()
        expect(arrivedOn).toBe(channel)
        expect(message).toEqual({ ...request, buffers: message.buffers })
        expect(message.buffers.map((buffer) => [...buffer])).toEqual(buffers.map((buffer) => [...buffer]))
        const reply = kernel.session.createRaw('probe_reply', channel, { status: 'ok', content }, { parent: message, buffers })
        kernel.transport.send(channel, peer, reply)
        const answer = await client.next()
        expect(answer).toEqual({ ...reply, buffers: answer.buffers })
        expect(answer.parent_header).toEqual(request.header)
        expect(answer.buffers.map((buffer) => [...buffer])).toEqual(buffers.map((buffer) => [...buffer]))
      }
    })

    it('delivers in order, channel by channel, and loses nothing', async () => {
      const { kernel, client: connect, start } = await pair()
      await start()
      const client = await connect()
      const count = 2000
      for (let i = 0; i < count; i++) client.transport.send('shell', client.session.createRaw('n_request', 'shell', { i }))
      for (let i = 0; i < count; i++) {
        const { message, peer } = await kernel.next()
        expect(message.content['i']).toBe(i)
        kernel.transport.publish('n', kernel.session.createRaw('n', 'iopub', { i }, { parent: message }))
        kernel.transport.send('shell', peer, kernel.session.createRaw('n_reply', 'shell', { i }, { parent: message }))
      }
      const seen: Record<string, unknown[]> = { iopub: [], shell: [] }
      for (let i = 0; i < 2 * count; i++) {
        const message = await client.next()
        seen[message.channel]?.push(message.content['i'])
      }
      const all = Array.from({ length: count }, (_, i) => i)
      expect(seen).toEqual({ iopub: all, shell: all })
    })

    it('answers only who asked, and asks for input where the request came from', async () => {
      const { kernel, client: connect, start } = await pair()
      await start()
      const [one, two] = [await connect(), await connect()]
      one.transport.send('shell', one.session.createRaw('execute_request', 'shell', {}))
      const { message, peer } = await kernel.next()
      kernel.transport.send('stdin', peer, kernel.session.create('input_request', { prompt: '?', password: false }, { parent: message }))
      expect((await one.next()).header.msg_type).toBe('input_request')
      one.transport.send('stdin', one.session.create('input_reply', { value: 'yes' }))
      const reply = await kernel.next()
      expect([reply.channel, reply.message.content]).toEqual(['stdin', { value: 'yes' }])
      await delay(SETTLE_MS)
      expect(two.pending).toBe(0)
    })

    it('shows every subscriber all that is published once it is open, and nothing of before', async () => {
      const { kernel, client: connect, start } = await pair()
      await start()
      kernel.transport.publish('early', kernel.session.createRaw('early', 'iopub', {}))
      const clients = await Promise.all(Array.from({ length: 8 }, connect))
      for (let i = 0; i < 100; i++) kernel.transport.publish('t', kernel.session.createRaw('t', 'iopub', { i }))
      for (const client of clients)
        for (let i = 0; i < 100; i++) {
          const message = await client.next()
          expect([message.channel, message.header.msg_type, message.content['i']]).toEqual(['iopub', 't', i])
        }
    })

    it('gives each receiver objects of its own', async () => {
      const { kernel, client: connect, start } = await pair()
      await start()
      const [one, two] = [await connect(), await connect()]
      const content = { list: [1] }
      kernel.transport.publish('t', kernel.session.createRaw('t', 'iopub', content))
      content.list.push(2)
      const first = await one.next()
      ;(first.content['list'] as number[]).push(3)
      expect((await two.next()).content).toEqual({ list: [1] })
    })

    it('holds requests until both ends are open', async () => {
      const { kernel, unopened, start } = await pair()
      const client = unopened()
      client.transport.send('shell', client.session.createRaw('a_request', 'shell', {}))
      const opening = client.transport.open()
      await delay(SETTLE_MS)
      expect(kernel.pending).toBe(0)
      await start()
      await withTimeout(opening, STEP_TIMEOUT_MS, 'the client to open')
      client.transport.send('shell', client.session.createRaw('b_request', 'shell', {}))
      expect((await kernel.next()).message.header.msg_type).toBe('a_request')
      expect((await kernel.next()).message.header.msg_type).toBe('b_request')
    })

    it('carries large messages', async () => {
      const { kernel, client: connect, start } = await pair()
      await start()
      const client = await connect()
      const text = 'é'.repeat(10 * MIB)
      const buffer = new Uint8Array(20 * MIB).fill(3)
      client.transport.send('shell', client.session.createRaw('big_request', 'shell', { text }, { buffers: [buffer] }))
      const { message } = await kernel.next()
      expect(message.content['text'] === text).toBe(true)
      expect(message.buffers[0]?.length).toBe(buffer.length)
      kernel.transport.publish('big', kernel.session.createRaw('big', 'iopub', { text }, { parent: message, buffers: [buffer] }))
      const published = await client.next()
      expect(published.content['text'] === text).toBe(true)
      expect(published.buffers[0]?.every((byte) => byte === 3)).toBe(true)
    })

    it('tells its backlog, and when it has been taken', async () => {
      const { kernel, client: connect, start } = await pair()
      await start()
      const client = await connect()
      expect(kernel.transport.backlog).toBe(0)
      for (let i = 0; i < 50; i++) kernel.transport.publish('t', kernel.session.createRaw('t', 'iopub', { text: 'x'.repeat(10_000), i }))
      expect(kernel.transport.backlog).toBeGreaterThan(0)
      await withTimeout(kernel.transport.flushed(), STEP_TIMEOUT_MS, 'what was published to be taken')
      for (let i = 0; i < 50; i++) expect((await client.next()).content['i']).toBe(i)
      await kernel.transport.flushed()
      expect(kernel.transport.backlog).toBe(0)
    })

    it('has a heartbeat', async () => {
      const { kernel, client: connect, start } = await pair()
      await start()
      const client = await connect()
      expect(await client.transport.ping(STEP_TIMEOUT_MS)).toBeGreaterThanOrEqual(0)
      await Promise.all(Array.from({ length: 10 }, () => client.transport.ping(STEP_TIMEOUT_MS)))
      await kernel.transport.close()
      await expect(client.transport.ping(SETTLE_MS)).rejects.toSatisfy((error: unknown) => LlmspellError.is(error))
    })

    it('tells a client that the kernel is gone', async () => {
      const { kernel, client: connect, start } = await pair()
      await start()
      const client = await connect()
      await kernel.transport.close()
      const reason = await withTimeout(client.transport.closed, STEP_TIMEOUT_MS, 'the client to notice')
      expect(reason).toBeInstanceOf(Error)
      expect(codeOf(reason)).toMatch(/^transport\./)
      client.transport.send('shell', client.session.createRaw('late_request', 'shell', {}))
    })

    it('sends what was queued before it closes', async () => {
      const { kernel, client: connect, start } = await pair()
      await start()
      const client = await connect()
      for (let i = 0; i < 200; i++) kernel.transport.publish('t', kernel.session.createRaw('t', 'iopub', { i, text: 'x'.repeat(1000) }))
      await kernel.transport.close()
      for (let i = 0; i < 200; i++) expect((await client.next()).content['i']).toBe(i)
    })

    it('sends what a client asked for last before it closes', async () => {
      const { kernel, client: connect, start } = await pair()
      await start()
      for (const channel of ['control', 'shell', 'stdin'] as const) {
        const client = await connect()
        client.transport.send(channel, client.session.createRaw('last_request', channel, {}))
        await client.transport.close()
        expect((await kernel.next()).channel).toBe(channel)
      }
    })

    it('closes once, from either end, and is silent afterwards', async () => {
      const { kernel, client: connect, start } = await pair()
      await start()
      const [leaving, staying] = [await connect(), await connect()]
      leaving.transport.send('shell', leaving.session.createRaw('a_request', 'shell', {}))
      const { peer } = await kernel.next()
      await Promise.all([leaving.transport.close(), leaving.transport.close()])
      expect(await leaving.transport.closed).toBeUndefined()
      leaving.transport.send('shell', leaving.session.createRaw('b_request', 'shell', {}))
      kernel.transport.send('shell', peer, kernel.session.createRaw('a_reply', 'shell', {}))
      kernel.transport.publish('t', kernel.session.createRaw('t', 'iopub', {}))
      expect((await staying.next()).header.msg_type).toBe('t')
      await delay(SETTLE_MS)
      expect([leaving.pending, kernel.pending]).toEqual([0, 0])
      await Promise.all([kernel.transport.close(), kernel.transport.close()])
      kernel.transport.publish('t', kernel.session.createRaw('t', 'iopub', {}))
      kernel.transport.send('shell', peer, kernel.session.createRaw('a_reply', 'shell', {}))
      await withTimeout(kernel.transport.flushed(), STEP_TIMEOUT_MS, 'flushed() after close')
    })

    it('drops what cannot be a message, and goes on', async () => {
      const { kernel, client: connect, start } = await pair()
      await start()
      const client = await connect()
      const good = client.session.createRaw('good_request', 'shell', {})
      client.transport.send('shell', { ...good, header: { ...good.header, msg_id: 7 as unknown as string } })
      client.transport.send('shell', { ...good, header: { ...good.header, msg_type: 'not a request' }, content: [] as unknown as object })
      client.transport.send('shell', good)
      const { message, peer } = await kernel.next()
      expect(message.header).toEqual(good.header)
      kernel.transport.publish('t', kernel.session.createRaw('display_data', 'iopub', { big: 1n }))
      kernel.transport.send('shell', peer, kernel.session.createRaw('good_reply', 'shell', { big: 1n }, { parent: message }))
      expect((await client.next()).content).toMatchObject({ status: 'error', ename: 'wire.unencodable' })
      expect(kernel.pending).toBe(0)
    })

    it('knows, where it says so, who is there', async () => {
      const { kernel, client: connect, start } = await pair()
      await start()
      const gone: Peer[] = []
      const undeliverable: string[] = []
      const knows = kernel.transport.onPeerGone?.((peer) => gone.push(peer)) !== undefined
      kernel.transport.onUndeliverable?.((_, message) => undeliverable.push((message as Message).header.msg_type))
      const [leaving, staying] = [await connect(), await connect()]
      if (kernel.transport.subscribers !== undefined) expect(kernel.transport.subscribers).toBe(2)
      leaving.transport.send('stdin', leaving.session.createRaw('a_request', 'stdin', {}))
      const { peer } = await kernel.next()
      await leaving.transport.close()
      staying.transport.send('shell', staying.session.createRaw('b_request', 'shell', {}))
      await kernel.next()
      if (!knows || kernel.transport.subscribers === undefined) return
      await vi.waitFor(() => expect([gone, kernel.transport.subscribers]).toEqual([[peer], 1]), STEP_TIMEOUT_MS)
      kernel.transport.send('stdin', peer, kernel.session.create('input_request', { prompt: '', password: false }))
      expect(undeliverable).toEqual(['input_request'])
    })

    it('stops calling a listener that was disposed', async () => {
      const { kernel, client: connect, start } = await pair()
      const seen: string[] = []
      const subscription = kernel.transport.onMessage(({ message }) => seen.push(message.header.msg_type))
      await start()
      const client = await connect()
      client.transport.send('shell', client.session.createRaw('a_request', 'shell', {}))
      await kernel.next()
      subscription.dispose()
      client.transport.send('shell', client.session.createRaw('b_request', 'shell', {}))
      await kernel.next()
      expect(seen).toEqual(['a_request'])
    })
  })
}

/** Keeps what arrives until it is asked for. */
class Inbox<T> {
  readonly #items: T[] = []
  #wake: (() => void) | undefined

  get pending(): number {
    return this.#items.length
  }

  protected receive(item: T): void {
    this.#items.push(item)
    this.#wake?.()
  }

  async next(): Promise<T> {
    if (this.#items.length === 0) {
      const arrived = new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      await withTimeout(arrived, STEP_TIMEOUT_MS, 'a message')
    }
    return this.#items.shift() as T
  }
}

class TestKernel extends Inbox<IncomingMessage> {
  readonly session: Session = new Session({ username: 'kernel' })
  readonly transport: KernelTransport

  constructor(transport: KernelTransport) {
    super()
    this.transport = transport
    transport.onMessage((incoming) => {
      if (incoming.message.header.msg_type === 'kernel_info_request') return
      this.receive(incoming)
    })
  }
}

class TestClient extends Inbox<Message> {
  readonly session: Session = new Session({ username: 'client' })
  readonly transport: ClientTransport

  constructor(transport: ClientTransport) {
    super()
    this.transport = transport
    transport.onMessage((message) => this.receive(message))
  }
}
