import type { Server, Socket } from 'node:net'
import { codeOf, type Logger } from '@llmspell/base'
import type { Frames, ServerKind, ServerSocket, SubscriptionReply } from '../sockets.ts'
import { ZmtpConnection } from './connection.ts'

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

/** What the three kinds share: accepting peers, and closing them all. */
export abstract class BaseSocket implements ServerSocket {
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
  abstract send(frames: Frames, droppable: boolean): boolean
  abstract flushed(): Promise<void>
  protected abstract onMessage(connection: ZmtpConnection, frames: Buffer[]): void
  protected onReady(_connection: ZmtpConnection, _identity: Buffer): void {}
  protected onCommand(_connection: ZmtpConnection, _name: string, _body: Buffer): void {}
  protected onClosed(_connection: ZmtpConnection): void {}

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
          this.onClosed(connection)
          if (codeOf(error) === 'zmtp.protocol') this.options.onRefused('zmtp.protocol', (error as Error).message)
        },
      },
    )
    this.connections.add(connection)
  }
}
