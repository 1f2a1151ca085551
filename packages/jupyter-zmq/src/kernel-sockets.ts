import { codeOf, type Disposable, Emitter, LlmspellError, type Logger, messageOf, silentLogger } from '@llmspell/base'
import {
  answerableRequest,
  type ConnectionInfo,
  endpointOf,
  type IncomingMessage,
  type KernelTransport,
  type Message,
  type Peer,
  replyTypeOf,
  Session,
  SOCKET_NAMES,
  type SocketName,
  WireCodec,
} from '@llmspell/jupyter'
import { createSigner } from '@llmspell/jupyter/signer'
import { type Carrier, carrierOf } from './carrier.ts'
import { DropLog } from './drop-log.ts'
import type { Frames, ServerKind, ServerSocket, ServerSockets, SubscriptionReply } from './sockets.ts'
import { zmtpServerSockets } from './zmtp/server.ts'

export interface KernelSocketsOptions {
  /** Ports of 0 (tcp) let the system choose; see {@link KernelSockets.connection}. */
  connection: ConnectionInfo
  logger?: Logger
  /** Bytes of the JSON parts of one message; more is refused. Default 64 MiB. */
  maxJsonBytes?: number
  /** Bytes of a whole message, buffers too; more is skipped as it comes (libzmq: the peer is disconnected). Default 256 MiB. */
  maxMessageBytes?: number
  /** Output bytes kept for a subscriber that takes nothing once patience is over; then it gets status but no output. Default 64 MiB. */
  maxSubscriberBytes?: number
  /** Milliseconds for which a subscriber that takes nothing may hold up output to all. Default 20,000. */
  patienceMs?: number
  /** Default `zmtp`, ours; `libzmq` is the native addon, always used for CURVE. */
  carrier?: Carrier
  /** How long `close` may send what is queued, in milliseconds. Default 1000. */
  lingerMs?: number
}

export interface KernelSockets extends KernelTransport {
  /** With the ports as bound. */
  readonly connection: ConnectionInfo
  /** Messages that were refused when they came (`wire.bad_signature`…) or could not be sent (`wire.unencodable`), by code. */
  readonly dropped: Readonly<Record<string, number>>
}

const KINDS: Record<SocketName, ServerKind> = { shell: 'router', control: 'router', stdin: 'router', iopub: 'xpub', hb: 'echo' }
const MIB = 1024 * 1024
/** Output that may be withheld from a subscriber that takes nothing; status, replies and errors may not. */
const DROPPABLE: ReadonlySet<string> = new Set(['stream', 'display_data', 'update_display_data'])

/**
 * Binds the five sockets of a kernel. All are bound when this resolves, and nothing is read before `open()`.
 * Throws `zmq.address_in_use`, `zmq.bind_failed`, `zmq.curve_unavailable`, `wire.unknown_scheme`.
 */
export async function bindKernelSockets(options: KernelSocketsOptions): Promise<KernelSockets> {
  const logger = options.logger ?? silentLogger
  const connection = { ...options.connection }
  const codec = new WireCodec({
    signer: createSigner(connection),
    ...(options.maxJsonBytes !== undefined && { maxJsonBytes: options.maxJsonBytes }),
  })
  const drops = new DropLog(logger)
  const provider = await serverSockets(connection, options, logger, drops)
  const sockets = await bindAll(provider, connection)
  return new ZmqKernelTransport(sockets, codec, connection, drops, options.lingerMs ?? 1000)
}

/** Our own ZMTP, whose queues we know; libzmq where encryption is asked for. */
async function serverSockets(
  connection: ConnectionInfo,
  options: KernelSocketsOptions,
  logger: Logger,
  drops: DropLog,
): Promise<ServerSockets> {
  const maxMessageBytes = options.maxMessageBytes ?? 256 * MIB
  if (carrierOf(connection, options.carrier) === 'libzmq') {
    const { nativeServerSockets } = await import('./native/server.ts')
    return nativeServerSockets({
      curve: connection,
      maxFrameBytes: maxMessageBytes,
      onError: (error) => logger.log('warn', `socket error: ${messageOf(error)}`, { code: codeOf(error) }),
    })
  }
  return zmtpServerSockets({
    maxMessageBytes,
    maxSubscriberBytes: options.maxSubscriberBytes ?? 64 * MIB,
    patienceMs: options.patienceMs ?? 20_000,
    logger,
    onRefused: (code, reason) => drops.add('socket', new LlmspellError(reason, { code })),
  })
}

type BoundSockets = Record<SocketName, ServerSocket>

async function bindAll(provider: ServerSockets, connection: ConnectionInfo): Promise<BoundSockets> {
  const bound: Partial<BoundSockets> = {}
  try {
    for (const name of SOCKET_NAMES) {
      const endpoint = endpointOf(connection, name)
      const socket = await provider.bind(KINDS[name], endpoint).catch((cause: unknown) => {
        throw bindError(name, endpoint, cause)
      })
      bound[name] = socket
      if (connection.transport === 'tcp') connection[`${name}_port`] = portOf(socket.endpoint)
    }
  } catch (error) {
    await Promise.all(Object.values(bound).map((socket) => socket.close(0)))
    throw error
  }
  return bound as BoundSockets
}

function portOf(endpoint: string): number {
  return Number(endpoint.slice(endpoint.lastIndexOf(':') + 1))
}

function bindError(name: SocketName, endpoint: string, cause: unknown): LlmspellError {
  const inUse = codeOf(cause) === 'EADDRINUSE'
  return new LlmspellError(`cannot bind the ${name} socket to ${endpoint}: ${inUse ? 'the address is in use' : messageOf(cause)}`, {
    code: inUse ? 'zmq.address_in_use' : 'zmq.bind_failed',
    data: { socket: name, endpoint },
    cause,
    hint: inUse ? 'Choose other ports, or port 0 to let the system choose.' : 'Check the address and the permissions of its directory.',
  })
}

class ZmqKernelTransport implements KernelSockets {
  readonly connection: ConnectionInfo
  readonly #sockets: BoundSockets
  readonly #codec: WireCodec
  readonly #session = new Session({ username: 'kernel' })
  readonly #incoming = new Emitter<IncomingMessage>()
  readonly #undeliverable = new Emitter<{ peer: Peer; message: Message<object> }>()
  readonly #drops: DropLog
  readonly #lingerMs: number
  readonly #unsent = (error: Error): void => this.#drops.add('out', error)
  #opened = false
  #closing: Promise<void> | undefined

  constructor(sockets: BoundSockets, codec: WireCodec, connection: ConnectionInfo, drops: DropLog, lingerMs: number) {
    this.#sockets = sockets
    this.#codec = codec
    this.connection = connection
    this.#drops = drops
    this.#lingerMs = lingerMs
  }

  get dropped(): Readonly<Record<string, number>> {
    return this.#drops.counts
  }

  get backlog(): number {
    return this.#sockets.iopub.backlog
  }

  get subscribers(): number | undefined {
    return this.#sockets.iopub.subscribers
  }

  onUndeliverable(listener: (peer: Peer, message: Message<object>) => void): Disposable {
    return this.#undeliverable.on(({ peer, message }) => listener(peer, message))
  }

  onPeerGone(listener: (peer: Peer) => void): Disposable {
    return this.#sockets.stdin.onGone?.((identity) => listener([identity])) ?? { dispose() {} }
  }

  onMessage(listener: (incoming: IncomingMessage) => void): Disposable {
    return this.#incoming.on(listener)
  }

  open(): Promise<void> {
    if (this.#opened || this.#closing) return Promise.resolve()
    this.#opened = true
    // IOPub first: who is subscribed before a request is read misses none of its output.
    this.#sockets.iopub.start((frames, reply) => this.#subscription(frames, reply))
    this.#sockets.hb.start(() => undefined)
    for (const channel of ['control', 'stdin', 'shell'] as const) this.#sockets[channel].start((frames) => this.#receive(channel, frames))
    return Promise.resolve()
  }

  send(channel: 'shell' | 'control' | 'stdin', peer: Peer, message: Message<object>): void {
    if (this.#closing) return
    const frames = this.#codec.tryEncode(message, this.#unsent)
    if (!frames) return
    const found = this.#sockets[channel].send([...peer, ...frames], false)
    if (!found) this.#undeliverable.emit({ peer, message })
  }

  publish(topic: string, message: Message<object>): void {
    if (this.#closing) return
    const frames = this.#codec.tryEncode(message, this.#unsent)
    if (!frames) return
    frames.unshift(Buffer.from(topic))
    this.#sockets.iopub.send(frames, DROPPABLE.has(message.header.msg_type))
  }

  flushed(): Promise<void> {
    return this.#sockets.iopub.flushed()
  }

  close(): Promise<void> {
    this.#closing ??= Promise.all(Object.values(this.#sockets).map((socket) => socket.close(this.#lingerMs))).then(() => undefined)
    return this.#closing
  }

  #receive(channel: 'shell' | 'control' | 'stdin', frames: Uint8Array[]): void {
    if (this.#closing) return
    let decoded: ReturnType<WireCodec['decode']>
    try {
      decoded = this.#codec.decode(frames, channel)
    } catch (error) {
      this.#drops.add(channel, error)
      this.#refuse(channel, error)
      return
    }
    this.#incoming.emit({ channel, message: decoded.message, peer: decoded.identities })
  }

  /** An authentic request that cannot be read is answered as a failed one: its sender would wait for ever. */
  #refuse(channel: 'shell' | 'control' | 'stdin', error: unknown): void {
    const request = answerableRequest(error)
    const type = request && replyTypeOf(request.header.msg_type)
    if (!type || channel === 'stdin') return
    const parent = request
    const content = { status: 'error', ename: codeOf(error) ?? 'Error', evalue: messageOf(error), traceback: [] }
    this.publish('status', this.#session.create('status', { execution_state: 'busy' }, { parent }))
    this.send(channel, request.identities, this.#session.createRaw(type, channel, content, { parent }))
    this.publish('status', this.#session.create('status', { execution_state: 'idle' }, { parent }))
  }

  /** https://jupyter.org/enhancement-proposals/65-jupyter-xpub/jupyter-xpub.html */
  #subscription(frames: Frames, reply: SubscriptionReply): void {
    const frame = frames[0]
    if (this.#closing || !frame || frame[0] !== 1) return
    const topic = Buffer.from(frame.buffer, frame.byteOffset + 1, frame.length - 1)
    const welcome = this.#session.create('iopub_welcome', { subscription: topic.toString() })
    reply([Buffer.from(topic), ...this.#codec.encode(welcome)])
  }
}
