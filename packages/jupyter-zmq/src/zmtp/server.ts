import { chmodSync, unlinkSync } from 'node:fs'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { codeOf, type Logger } from '@llmspell/base'
import type { Frames, ServerKind, ServerSocket, ServerSockets, SubscriptionReply } from '../sockets.ts'
import { parseEndpoint } from './address.ts'
import { type Outgoing, ZmtpConnection } from './connection.ts'
import { encodeMessage } from './framing.ts'

export interface ZmtpServerOptions {
  maxMessageBytes: number
  /** Output bytes kept for a subscriber that takes nothing; beyond them output (not status) is withheld from it. */
  maxSubscriberBytes: number
  /** Milliseconds without progress after which a subscriber no longer holds up the others. */
  patienceMs: number
  logger: Logger
  /** A message was refused before it could be decoded. */
  onRefused: (code: 'zmtp.too_large' | 'zmtp.protocol', reason: string) => void
}

const SOCKET_TYPES: Record<ServerKind, { type: string; peers: readonly string[] }> = {
  router: { type: 'ROUTER', peers: ['DEALER', 'REQ', 'ROUTER'] },
  xpub: { type: 'XPUB', peers: ['SUB', 'XSUB'] },
  echo: { type: 'REP', peers: ['REQ', 'DEALER'] },
}
const STREAM_HIGH_WATER_MARK = 256 * 1024

export function zmtpServerSockets(options: ZmtpServerOptions): ServerSockets {
  return {
    async bind(kind, endpoint) {
      const server = createServer({ noDelay: true, highWaterMark: STREAM_HIGH_WATER_MARK })
      const bound = await listen(server, endpoint)
      switch (kind) {
        case 'router':
          return new RouterSocket(server, bound, options)
        case 'xpub':
          return new PublisherSocket(server, bound, options)
        case 'echo':
          return new EchoSocket(server, bound, options)
      }
    },
  }
}

async function listen(server: Server, endpoint: string): Promise<string> {
  const address = parseEndpoint(endpoint)
  try {
    await listenOnce(server, address)
  } catch (error) {
    if (codeOf(error) !== 'EADDRINUSE' || !('path' in address) || (await answers(address.path))) throw error
    // The file of a kernel that was killed: nobody listens behind it.
    unlinkSync(address.path)
    await listenOnce(server, address)
  }
  if ('path' in address) {
    chmodSync(address.path, 0o600)
    return endpoint
  }
  const { port } = server.address() as { port: number }
  return `${endpoint.slice(0, endpoint.lastIndexOf(':'))}:${port}`
}

function listenOnce(server: Server, address: ReturnType<typeof parseEndpoint>): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    // exclusive: a cluster worker must not share the port.
    server.listen({ ...address, exclusive: true, backlog: 511 }, () => {
      server.off('error', reject)
      resolve()
    })
  })
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect({ path })
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', () => resolve(false))
  })
}

/** What the three kinds share: accepting peers, and closing them all. */
abstract class BaseSocket implements ServerSocket {
  readonly endpoint: string
  protected readonly options: ZmtpServerOptions
  protected readonly connections: Set<ZmtpConnection> = new Set()
  protected receive: ((frames: Uint8Array[], reply: SubscriptionReply) => void) | undefined
  readonly #server: Server
  readonly #kind: ServerKind
  /** Accepted before `start`: bound, but not read. */
  #early: Socket[] | undefined = []

  constructor(server: Server, endpoint: string, kind: ServerKind, options: ZmtpServerOptions) {
    this.#server = server
    this.#kind = kind
    this.endpoint = endpoint
    this.options = options
    server.on('connection', (socket) => {
      socket.on('error', () => undefined)
      if (this.#early) this.#early.push(socket)
      else this.#accept(socket)
    })
    server.on('error', (error) => options.logger.log('warn', `${kind} socket: ${error.message}`, { endpoint }))
  }

  abstract get backlog(): number
  abstract send(frames: Frames, droppable: boolean): void
  abstract flushed(): Promise<void>
  protected abstract onMessage(connection: ZmtpConnection, frames: Buffer[]): void
  protected onReady(_connection: ZmtpConnection, _identity: Buffer): void {}
  protected onCommand(_connection: ZmtpConnection, _name: string, _body: Buffer): void {}
  protected onGone(_connection: ZmtpConnection): void {}

  start(receive: (frames: Uint8Array[], reply: SubscriptionReply) => void): void {
    this.receive = receive
    for (const socket of this.#early ?? []) this.#accept(socket)
    this.#early = undefined
  }

  async close(lingerMs: number): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()))
    for (const socket of this.#early ?? []) socket.destroy()
    await Promise.all([...this.connections].map((connection) => connection.close(lingerMs)))
    await closed
  }

  #accept(socket: Socket): void {
    const { type, peers } = SOCKET_TYPES[this.#kind]
    const connection = new ZmtpConnection(
      socket,
      { socketType: type, identity: new Uint8Array(0), peerTypes: peers, maxMessageBytes: this.options.maxMessageBytes },
      {
        onReady: (identity) => this.onReady(connection, identity),
        onMessage: (frames) => this.onMessage(connection, frames),
        onCommand: (name, body) => this.onCommand(connection, name, body),
        onTooLarge: (bytes) =>
          this.options.onRefused('zmtp.too_large', `message of ${bytes} bytes; at most ${this.options.maxMessageBytes} are accepted`),
        onClose: (error) => {
          this.connections.delete(connection)
          this.onGone(connection)
          if (codeOf(error) === 'zmtp.protocol') this.options.onRefused('zmtp.protocol', (error as Error).message)
        },
      },
    )
    this.connections.add(connection)
  }
}

/** REQ peers put an empty frame first and want it back; so an echo is a heartbeat's whole answer. */
class EchoSocket extends BaseSocket {
  constructor(server: Server, endpoint: string, options: ZmtpServerOptions) {
    super(server, endpoint, 'echo', options)
  }

  get backlog(): number {
    return 0
  }

  send(): void {}

  flushed(): Promise<void> {
    return Promise.resolve()
  }

  protected onMessage(connection: ZmtpConnection, frames: Buffer[]): void {
    // A peer that asks and never reads gets no more answers.
    if (connection.backlog < MAX_ECHO_BACKLOG) connection.send({ ...encodeMessage(frames), droppable: false })
  }
}

const MAX_ECHO_BACKLOG = 64 * 1024

class RouterSocket extends BaseSocket {
  readonly #byIdentity = new Map<string, ZmtpConnection>()
  readonly #identities = new Map<ZmtpConnection, Buffer>()
  #generated = 0

  constructor(server: Server, endpoint: string, options: ZmtpServerOptions) {
    super(server, endpoint, 'router', options)
  }

  get backlog(): number {
    let bytes = 0
    for (const connection of this.connections) bytes += connection.backlog
    return bytes
  }

  /** The first frame names the peer; what is for a peer that left is dropped, as ROUTER does. */
  send(frames: Frames): void {
    const connection = this.#byIdentity.get(keyOf(frames[0] as Uint8Array))
    if (!connection) return
    connection.send({ ...encodeMessage(frames.slice(1)), droppable: false })
    if (connection.backlog <= this.options.maxSubscriberBytes) return
    this.options.logger.log('warn', 'a client that does not read its replies was disconnected', { bytes: connection.backlog })
    connection.destroy()
  }

  async flushed(): Promise<void> {
    await Promise.all([...this.connections].map((connection) => connection.taken()))
  }

  protected override onReady(connection: ZmtpConnection, named: Buffer): void {
    let identity = named
    if (identity.length === 0) {
      // Made-up identities begin with 0, which a peer's own may not.
      identity = Buffer.alloc(5)
      identity.writeUInt32BE(++this.#generated, 1)
    }
    const key = keyOf(identity)
    // A client that reconnects under its name replaces its old connection.
    this.#byIdentity.get(key)?.destroy()
    this.#byIdentity.set(key, connection)
    this.#identities.set(connection, identity)
  }

  protected onMessage(connection: ZmtpConnection, frames: Buffer[]): void {
    this.receive?.([this.#identities.get(connection) as Buffer, ...frames], () => undefined)
  }

  protected override onGone(connection: ZmtpConnection): void {
    const identity = this.#identities.get(connection)
    this.#identities.delete(connection)
    if (identity && this.#byIdentity.get(keyOf(identity)) === connection) this.#byIdentity.delete(keyOf(identity))
  }
}

function keyOf(identity: Uint8Array): string {
  return Buffer.from(identity.buffer, identity.byteOffset, identity.length).toString('latin1')
}

interface Subscriber {
  connection: ZmtpConnection
  topics: Buffer[]
  /** It has taken nothing for longer than patience lasts: it no longer counts, and may miss output. */
  stalled: boolean
  withheld: number
}

/** How much of what may not be withheld is kept beyond the bound, before a stalled subscriber is disconnected. */
const STATUS_RESERVE_BYTES = 16 * 1024 * 1024
const STALL_CHECK_MS = 1000

/**
 * XPUB with a queue for each subscriber. A slow one holds up output (its bytes are the backlog) for as long as patience
 * lasts; then the others go on, it is kept supplied up to a bound, and beyond that gets status but no output.
 */
class PublisherSocket extends BaseSocket {
  readonly #subscribers = new Map<ZmtpConnection, Subscriber>()
  #stallTimer: ReturnType<typeof setInterval> | undefined

  constructor(server: Server, endpoint: string, options: ZmtpServerOptions) {
    super(server, endpoint, 'xpub', options)
  }

  get backlog(): number {
    let most = 0
    for (const { connection, stalled } of this.#subscribers.values()) if (!stalled) most = Math.max(most, connection.backlog)
    return most
  }

  send(frames: Frames, droppable: boolean): void {
    let outgoing: Outgoing | undefined
    for (const subscriber of this.#subscribers.values()) {
      if (!subscribes(subscriber, frames[0] as Uint8Array)) continue
      outgoing ??= { ...encodeMessage(frames), droppable }
      this.#offer(subscriber, outgoing)
    }
  }

  async flushed(): Promise<void> {
    const waits: Promise<void>[] = []
    for (const { connection, stalled } of this.#subscribers.values()) if (!stalled && connection.backlog > 0) waits.push(connection.taken())
    await Promise.all(waits)
  }

  override async close(lingerMs: number): Promise<void> {
    clearInterval(this.#stallTimer)
    this.#stallTimer = undefined
    await super.close(lingerMs)
  }

  #offer(subscriber: Subscriber, outgoing: Outgoing): void {
    const { connection } = subscriber
    if (subscriber.stalled) {
      const room = this.options.maxSubscriberBytes - connection.backlog
      if (outgoing.droppable && outgoing.bytes > room) {
        subscriber.withheld++
        return
      }
      if (outgoing.bytes > room + STATUS_RESERVE_BYTES) {
        this.options.logger.log('warn', 'a subscriber that does not read was disconnected', { bytes: connection.backlog })
        connection.destroy()
        return
      }
    }
    connection.send(outgoing)
    if (connection.backlog > STREAM_HIGH_WATER_MARK) this.#watchStalls()
  }

  #watchStalls(): void {
    this.#stallTimer ??= setInterval(() => this.#checkStalls(), Math.min(STALL_CHECK_MS, this.options.patienceMs)).unref()
  }

  #checkStalls(): void {
    let watching = false
    for (const subscriber of this.#subscribers.values()) {
      const { connection } = subscriber
      const stalled = connection.stalledMs > this.options.patienceMs
      if (stalled && !subscriber.stalled) {
        this.options.logger.log('warn', 'a subscriber takes no output; the others go on without it', { bytes: connection.backlog })
        connection.giveUpWaiting()
      } else if (!stalled && subscriber.stalled && subscriber.withheld > 0) {
        this.options.logger.log('warn', 'a subscriber reads again; it has missed output', { messages: subscriber.withheld })
        subscriber.withheld = 0
      }
      subscriber.stalled = stalled
      watching ||= connection.backlog > 0
    }
    if (watching) return
    clearInterval(this.#stallTimer)
    this.#stallTimer = undefined
  }

  protected override onReady(connection: ZmtpConnection): void {
    this.#subscribers.set(connection, { connection, topics: [], stalled: false, withheld: 0 })
  }

  /** ZMTP 3.0: a message of one frame, 1 or 0 and the topic. */
  protected onMessage(connection: ZmtpConnection, frames: Buffer[]): void {
    const frame = frames[0]
    if (frames.length !== 1 || !frame) return
    if (frame[0] === 1) this.#subscribe(connection, Buffer.from(frame.subarray(1)))
    else if (frame[0] === 0) this.#cancel(connection, frame.subarray(1))
  }

  /** ZMTP 3.1: commands. */
  protected override onCommand(connection: ZmtpConnection, name: string, body: Buffer): void {
    if (name === 'SUBSCRIBE') this.#subscribe(connection, Buffer.from(body))
    else if (name === 'CANCEL') this.#cancel(connection, body)
  }

  protected override onGone(connection: ZmtpConnection): void {
    this.#subscribers.delete(connection)
  }

  #subscribe(connection: ZmtpConnection, topic: Buffer): void {
    const subscriber = this.#subscribers.get(connection)
    if (!subscriber || subscriber.topics.length >= MAX_TOPICS) return
    subscriber.topics.push(topic)
    this.receive?.([Buffer.concat([SUBSCRIBED, topic])], (frames) => connection.send({ ...encodeMessage(frames), droppable: false }))
  }

  #cancel(connection: ZmtpConnection, topic: Buffer): void {
    const topics = this.#subscribers.get(connection)?.topics
    const at = topics?.findIndex((own) => own.equals(topic)) ?? -1
    if (at >= 0) topics?.splice(at, 1)
  }
}

const SUBSCRIBED = Buffer.from([1])
const MAX_TOPICS = 1000

function subscribes({ topics }: Subscriber, topic: Uint8Array): boolean {
  for (const prefix of topics) if (prefix.length === 0 || startsWith(topic, prefix)) return true
  return false
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  if (prefix.length > bytes.length) return false
  for (let i = 0; i < prefix.length; i++) if (bytes[i] !== prefix[i]) return false
  return true
}
