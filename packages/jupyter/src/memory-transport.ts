import { type Disposable, deferred, Emitter, LlmspellError, type Logger, messageOf, silentLogger, withTimeout } from '@llmspell/base'
import { utf8Encode } from './bytes.ts'
import type { Channel, Message } from './message.ts'
import { Session } from './session.ts'
import type { ClientTransport, IncomingMessage, KernelTransport, Peer } from './transport.ts'
import { unsigned, WireCodec } from './wire.ts'

/**
 * A kernel's end and a way to make clients' ends, joined in memory. Messages pass through the wire codec, so that both
 * ends own their objects and see exactly what a socket would show them; buffers are shared, not copied.
 */
export function createMemoryTransport(options: { logger?: Logger } = {}): [kernel: KernelTransport, connect: () => ClientTransport] {
  const kernel = new MemoryKernel(options.logger ?? silentLogger)
  return [kernel, () => new MemoryClient(kernel)]
}

type Frames = readonly Uint8Array[]
type RequestChannel = 'shell' | 'control' | 'stdin'

class MemoryKernel implements KernelTransport {
  readonly codec: WireCodec = new WireCodec({ signer: unsigned, maxJsonBytes: Number.POSITIVE_INFINITY })
  readonly #session = new Session({ username: 'kernel' })
  readonly #incoming = new Emitter<IncomingMessage>()
  readonly #undeliverable = new Emitter<{ peer: Peer; message: Message<object> }>()
  readonly #gone = new Emitter<Peer>()
  readonly #clients = new Map<string, MemoryClient>()
  readonly #opened = deferred()
  #state: 'new' | 'open' | 'closed' = 'new'
  #backlog = 0
  #published: Promise<void> = Promise.resolve()
  readonly #logger: Logger
  readonly #unsent = (error: Error): void => this.#logger.log('error', error.message)

  constructor(logger: Logger) {
    this.#logger = logger
  }

  get subscribers(): number {
    return this.#clients.size
  }

  onUndeliverable(listener: (peer: Peer, message: Message<object>) => void): Disposable {
    return this.#undeliverable.on(({ peer, message }) => listener(peer, message))
  }

  onPeerGone(listener: (peer: Peer) => void): Disposable {
    return this.#gone.on(listener)
  }

  get opened(): Promise<void> {
    return this.#opened.promise
  }

  get state(): 'new' | 'open' | 'closed' {
    return this.#state
  }

  get backlog(): number {
    return this.#backlog
  }

  onMessage(listener: (incoming: IncomingMessage) => void): Disposable {
    return this.#incoming.on(listener)
  }

  open(): Promise<void> {
    if (this.#state === 'closed') return Promise.reject(closedError())
    this.#state = 'open'
    this.#opened.resolve()
    return Promise.resolve()
  }

  send(channel: RequestChannel, peer: Peer, message: Message<object>): void {
    if (this.#state === 'closed') return
    const frames = this.codec.tryEncode(message, this.#unsent)
    if (!frames) return
    const client = this.#clients.get(nameOf(peer))
    if (client) queueMicrotask(() => client.deliver(channel, frames))
    else this.#undeliverable.emit({ peer, message })
  }

  publish(_topic: string, message: Message<object>): void {
    if (this.#state === 'closed') return
    const frames = this.codec.tryEncode(message, this.#unsent)
    if (!frames) return
    const size = frames.reduce((total, frame) => total + frame.length, 0)
    const subscribers = [...this.#clients.values()]
    this.#backlog += size
    this.#published = this.#published.then(() => {
      this.#backlog -= size
      for (const client of subscribers) client.deliver('iopub', frames)
    })
  }

  flushed(): Promise<void> {
    return this.#published
  }

  async close(): Promise<void> {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    this.#opened.resolve()
    await this.#published
    for (const client of [...this.#clients.values()]) client.lose()
    this.#clients.clear()
  }

  /** Adds a subscriber and tells it so: what is published from here on reaches it. */
  join(client: MemoryClient): void {
    this.#clients.set(nameOf(client.peer), client)
    const welcome = this.codec.encode(this.#session.create('iopub_welcome', { subscription: '' }))
    this.#published = this.#published.then(() => client.deliver('iopub', welcome))
  }

  leave(client: MemoryClient): void {
    if (this.#clients.delete(nameOf(client.peer))) this.#gone.emit(client.peer)
  }

  /** `undefined`, with a log line, for what no socket would have delivered. */
  decode(frames: Frames, channel: Channel): Message | undefined {
    try {
      return this.codec.decode(frames, channel).message
    } catch (error) {
      this.#logger.log('warn', `message dropped: ${messageOf(error)}`, { channel })
      return undefined
    }
  }

  receive(channel: RequestChannel, peer: Peer, frames: Frames): void {
    if (this.#state !== 'open') return
    const message = this.decode(frames, channel)
    if (message) this.#incoming.emit({ channel, message, peer })
  }
}

class MemoryClient implements ClientTransport {
  static #count = 0
  readonly peer: Peer = [utf8Encode(`memory-${++MemoryClient.#count}`)]
  readonly #kernel: MemoryKernel
  readonly #messages = new Emitter<Message>()
  readonly #welcomed = deferred()
  readonly #closed = deferred<Error | undefined>()

  constructor(kernel: MemoryKernel) {
    this.#kernel = kernel
  }

  get closed(): Promise<Error | undefined> {
    return this.#closed.promise
  }

  onMessage(listener: (message: Message) => void): Disposable {
    return this.#messages.on(listener)
  }

  async open(): Promise<void> {
    await this.#kernel.opened
    if (this.#closed.settled || this.#kernel.state === 'closed') throw closedError()
    this.#kernel.join(this)
    await this.#welcomed.promise
  }

  send(channel: RequestChannel, message: Message<object>): void {
    if (this.#closed.settled) return
    const frames = this.#kernel.codec.encode(message)
    void this.#kernel.opened.then(() => this.#kernel.receive(channel, this.peer, frames))
  }

  async ping(timeoutMs: number): Promise<number> {
    if (this.#closed.settled || this.#kernel.state === 'closed') throw closedError()
    const start = performance.now()
    await withTimeout(this.#kernel.opened, timeoutMs, 'the heartbeat of the kernel')
    return performance.now() - start
  }

  close(): Promise<void> {
    this.#kernel.leave(this)
    this.#closed.resolve(undefined)
    this.#welcomed.resolve()
    return Promise.resolve()
  }

  deliver(channel: Channel, frames: Frames): void {
    if (this.#closed.settled) return
    const message = this.#kernel.decode(frames, channel)
    if (!message) return
    if (message.header.msg_type === 'iopub_welcome') this.#welcomed.resolve()
    else this.#messages.emit(message)
  }

  lose(): void {
    this.#closed.resolve(closedError())
    this.#welcomed.resolve()
  }
}

function nameOf(peer: Peer): string {
  return String.fromCharCode(...(peer[0] ?? []))
}

function closedError(): LlmspellError {
  return new LlmspellError('the kernel closed the connection', { code: 'transport.closed' })
}
