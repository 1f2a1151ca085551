import {
  codeOf,
  type Deferred,
  type Disposable,
  deferred,
  Emitter,
  LlmspellError,
  type Logger,
  silentLogger,
  withTimeout,
} from '@llmspell/base'
import {
  type Channel,
  type ClientTransport,
  type ConnectionInfo,
  endpointOf,
  type Message,
  Session,
  type SocketName,
  WireCodec,
} from '@llmspell/jupyter'
import { createSigner } from '@llmspell/jupyter/signer'
import { type Carrier, carrierOf } from './carrier.ts'
import { DropLog } from './drop-log.ts'
import type { ClientKind, ClientSocket, ClientSockets } from './sockets.ts'
import { zmtpClientSockets } from './zmtp/client.ts'

export interface ClientSocketsOptions {
  /** How long `open` waits for the kernel, in milliseconds. Default 10,000. */
  connectTimeoutMs?: number
  /** How long nobody may listen at the kernel's address before `open` gives up, in milliseconds. Default 1000. */
  refusedGraceMs?: number
  /** Told of messages that could not be read. */
  logger?: Logger
  /** Default `zmtp`, ours; `libzmq` is the native addon, always used for CURVE. */
  carrier?: Carrier
  /** How long `close` may send what is queued, in milliseconds. Default 500. */
  lingerMs?: number
}

const KINDS: Record<SocketName, ClientKind> = { shell: 'dealer', control: 'dealer', stdin: 'dealer', iopub: 'sub', hb: 'dealer' }
/** Stdin too, though nothing is sent there: the kernel can ask for input only where a client is known. */
const AT_ONCE: readonly SocketName[] = ['iopub', 'shell', 'stdin']
/** Kernels without iopub_welcome are asked for kernel_info until IOPub shows the answer; the first time after this many milliseconds. */
const PROBE_AFTER_MS = 150
const PROBE_EVERY_MS = 500
/** How long after the loss of one socket the others may still deliver. */
const LAST_WORDS_MS = 2000
const NOT_THE_KERNEL: ReadonlySet<string | undefined> = new Set(['wire.bad_signature', 'wire.unsigned'])
const EMPTY = new Uint8Array(0)

/**
 * A client of the kernel a connection file describes. Nothing is connected before `open`.
 * `open` throws `transport.refused`, `transport.connect_timeout`, `transport.lost`, `zmq.curve_unavailable`.
 */
export function connectKernel(connection: ConnectionInfo, options: ClientSocketsOptions = {}): ClientTransport {
  return new ZmqClientTransport(connection, options)
}

class ZmqClientTransport implements ClientTransport {
  readonly #connection: ConnectionInfo
  readonly #connectTimeoutMs: number
  readonly #lingerMs: number
  readonly #refusedGraceMs: number
  readonly #carrier: Carrier | undefined
  readonly #codec: WireCodec
  readonly #drops: DropLog
  /** Makes the probes, and names this client to the kernel's routers. */
  readonly #session = new Session({ username: 'client' })
  readonly #messages = new Emitter<Message>()
  readonly #subscribed = deferred()
  readonly #closed = deferred<Error | undefined>()
  readonly #pings = new Map<string, Deferred<void>>()
  #pingCount = 0
  readonly #probes = new Set<string>()
  #provided: ClientSockets | undefined
  readonly #sockets = new Map<SocketName, ClientSocket>()
  readonly #losses: Error[] = []
  #lastWords: ReturnType<typeof setTimeout> | undefined
  #ready = false
  /** Requests made before the IOPub subscription stands: their output would be missed. */
  #waiting: { channel: 'shell' | 'control' | 'stdin'; message: Message<object> }[] = []

  constructor(connection: ConnectionInfo, options: ClientSocketsOptions) {
    this.#connection = connection
    this.#connectTimeoutMs = options.connectTimeoutMs ?? 10_000
    this.#lingerMs = options.lingerMs ?? 500
    this.#refusedGraceMs = options.refusedGraceMs ?? 1000
    this.#carrier = options.carrier
    this.#drops = new DropLog(options.logger ?? silentLogger)
    this.#codec = new WireCodec({ signer: createSigner(connection), replayHistory: 0, maxJsonBytes: Number.MAX_SAFE_INTEGER })
  }

  get closed(): Promise<Error | undefined> {
    return this.#closed.promise
  }

  onMessage(listener: (message: Message) => void): Disposable {
    return this.#messages.on(listener)
  }

  async open(): Promise<void> {
    this.#provided = await this.#provider()
    if (this.#closed.settled) throw closedError()
    for (const name of AT_ONCE) this.#socket(name)
    const prober = setInterval(() => this.#probe(), PROBE_EVERY_MS)
    const firstProbe = setTimeout(() => this.#probe(), PROBE_AFTER_MS)
    try {
      const gone = this.closed.then((reason) => Promise.reject(reason ?? closedError()))
      await withTimeout(Promise.race([this.#subscribed.promise, gone]), this.#connectTimeoutMs, 'the kernel')
    } catch (error) {
      await this.close()
      throw LlmspellError.is(error) && error.code === 'timeout' ? this.#connectTimeout(error) : error
    } finally {
      clearInterval(prober)
      clearTimeout(firstProbe)
    }
    this.#ready = true
    for (const { channel, message } of this.#waiting.splice(0)) this.send(channel, message)
  }

  send(channel: 'shell' | 'control' | 'stdin', message: Message<object>): void {
    if (this.#closed.settled) return
    if (this.#ready) this.#socket(channel)?.send(this.#codec.encode(message))
    else this.#waiting.push({ channel, message })
  }

  async ping(timeoutMs: number): Promise<number> {
    const heartbeat = this.#socket('hb')
    if (!heartbeat) throw closedError()
    const start = performance.now()
    const id = `${this.#session.id}-${++this.#pingCount}`
    const answered = deferred()
    this.#pings.set(id, answered)
    heartbeat.send([EMPTY, Buffer.from(id)])
    try {
      await withTimeout(answered.promise, timeoutMs, 'the heartbeat of the kernel')
    } finally {
      this.#pings.delete(id)
    }
    return performance.now() - start
  }

  async close(): Promise<void> {
    this.#end(undefined)
    await Promise.all(Array.from(this.#sockets.values(), (socket) => socket.close(this.#lingerMs)))
  }

  async #provider(): Promise<ClientSockets> {
    const identity = this.#session.id
    if (carrierOf(this.#connection, this.#carrier) === 'libzmq') {
      const { nativeClientSockets } = await import('./native/client.ts')
      return nativeClientSockets({ curve: this.#connection, identity })
    }
    return zmtpClientSockets({ identity, refusedGraceMs: this.#refusedGraceMs })
  }

  /** Connected on first need: control and heartbeat are used rarely, and a command line pays for each connection. */
  #socket(name: SocketName): ClientSocket | undefined {
    if (!this.#provided || this.#closed.settled) return undefined
    const existing = this.#sockets.get(name)
    if (existing) return existing
    const receive = name === 'hb' ? (frames: Uint8Array[]) => this.#pong(frames) : (frames: Uint8Array[]) => this.#receive(name, frames)
    const socket = this.#provided.connect(KINDS[name], endpointOf(this.#connection, name), receive)
    this.#sockets.set(name, socket)
    void socket.lost.then((error) => this.#lose(error))
    return socket
  }

  /** The sockets go one after the other: what the last ones still bring is delivered before `closed` settles. */
  #lose(error: Error): void {
    this.#losses.push(error)
    if (this.#losses.length >= this.#sockets.size) this.#end(this.#losses[0])
    else this.#lastWords ??= setTimeout(() => this.#end(this.#losses[0]), LAST_WORDS_MS)
  }

  #end(reason: Error | undefined): void {
    clearTimeout(this.#lastWords)
    this.#closed.resolve(reason)
    for (const ping of this.#pings.values()) ping.reject(closedError())
    if (reason) for (const socket of this.#sockets.values()) void socket.close(0)
  }

  #receive(channel: Channel, frames: Uint8Array[]): void {
    if (this.#closed.settled) return
    let message: Message
    try {
      message = this.#codec.decode(frames, channel).message
    } catch (error) {
      this.#drops.add(channel, error)
      // A kernel whose messages do not verify is not the one the file describes.
      if (NOT_THE_KERNEL.has(codeOf(error))) this.#end(error as Error)
      return
    }
    if (channel === 'iopub') this.#subscribed.resolve()
    if (message.header.msg_type === 'iopub_welcome') return
    const parent = message.parent_header.msg_id
    if (parent !== undefined && this.#probes.has(parent)) return
    this.#messages.emit(message)
  }

  #pong(frames: Uint8Array[]): void {
    const body = frames.at(-1)
    if (body) this.#pings.get(Buffer.from(body).toString())?.resolve()
  }

  /** On both channels: shell may be behind a long cell, and old kernels do not answer on control. */
  #probe(): void {
    for (const channel of ['shell', 'control'] as const) {
      const probe = this.#session.create('kernel_info_request', {}, { channel })
      this.#probes.add(probe.header.msg_id)
      this.#socket(channel)?.send(this.#codec.encode(probe))
    }
  }

  #connectTimeout(cause: unknown): LlmspellError {
    const endpoint = endpointOf(this.#connection, 'shell')
    return new LlmspellError(`no kernel answers at ${endpoint} within ${this.#connectTimeoutMs} ms`, {
      code: 'transport.connect_timeout',
      data: { endpoint, ms: this.#connectTimeoutMs },
      cause,
      hint: 'Check that the kernel runs and that the connection file is its own (wrong keys are not answered).',
    })
  }
}

function closedError(): LlmspellError {
  return new LlmspellError('the connection to the kernel is closed', { code: 'transport.closed' })
}
