import { connect } from 'node:net'
import { codeOf, deferred, LlmspellError, messageOf } from '@llmspell/base'
import type { ClientKind, ClientSocket, ClientSockets, Frames } from '../sockets.ts'
import { parseEndpoint } from './address.ts'
import { ZmtpConnection } from './connection.ts'
import { encodeMessage } from './framing.ts'

export interface ZmtpClientOptions {
  /** One identity on shell, control and stdin: the kernel asks for input where the request came from. */
  identity: string
  /** How long a kernel may not listen yet, in milliseconds. */
  refusedGraceMs: number
}

const SOCKET_TYPES: Record<ClientKind, { type: string; peers: readonly string[] }> = {
  dealer: { type: 'DEALER', peers: ['ROUTER', 'REP', 'DEALER'] },
  sub: { type: 'SUB', peers: ['PUB', 'XPUB'] },
  req: { type: 'REQ', peers: ['REP', 'ROUTER'] },
}
const RETRY_MS = 20
const NO_LISTENER: readonly (string | undefined)[] = ['ECONNREFUSED', 'ENOENT']
/** A subscription to everything, as ZMTP 3.0 has it and 3.1 still takes it. */
const SUBSCRIBE_ALL = encodeMessage([Buffer.from([1])])

export function zmtpClientSockets(options: ZmtpClientOptions): ClientSockets {
  return { connect: (kind, endpoint, receive) => new ZmtpClientSocket(kind, endpoint, receive, options) }
}

class ZmtpClientSocket implements ClientSocket {
  readonly #kind: ClientKind
  readonly #endpoint: string
  readonly #receive: (frames: Uint8Array[]) => void
  readonly #options: ZmtpClientOptions
  readonly #lost = deferred<Error>()
  readonly #startedAt = performance.now()
  #connection: ZmtpConnection
  #retry: ReturnType<typeof setTimeout> | undefined
  #closed = false

  constructor(kind: ClientKind, endpoint: string, receive: (frames: Uint8Array[]) => void, options: ZmtpClientOptions) {
    this.#kind = kind
    this.#endpoint = endpoint
    this.#receive = receive
    this.#options = options
    this.#connection = this.#connect()
  }

  get lost(): Promise<Error> {
    return this.#lost.promise
  }

  send(frames: Frames): void {
    this.#connection.send({ ...encodeMessage(frames), droppable: false })
  }

  async close(lingerMs: number): Promise<void> {
    this.#closed = true
    clearTimeout(this.#retry)
    await this.#connection.close(lingerMs)
  }

  #connect(): ZmtpConnection {
    const { type, peers } = SOCKET_TYPES[this.#kind]
    const identity = this.#kind === 'dealer' ? Buffer.from(this.#options.identity) : Buffer.alloc(0)
    const connection: ZmtpConnection = new ZmtpConnection(
      connect({ ...parseEndpoint(this.#endpoint), noDelay: true }),
      { socketType: type, identity, peerTypes: peers, maxMessageBytes: Number.MAX_SAFE_INTEGER },
      {
        onReady: () => {
          if (this.#kind === 'sub') connection.send({ ...SUBSCRIBE_ALL, droppable: false })
        },
        onMessage: (frames) => this.#receive(frames),
        onCommand: () => undefined,
        onTooLarge: () => undefined,
        onClose: (error) => this.#onClose(error),
      },
    )
    return connection
  }

  #onClose(error: Error | undefined): void {
    if (this.#closed) return
    const waited = performance.now() - this.#startedAt
    if (NO_LISTENER.includes(codeOf(error)) && waited < this.#options.refusedGraceMs) {
      this.#retry = setTimeout(() => {
        this.#connection = this.#connect()
      }, RETRY_MS)
      return
    }
    this.#closed = true
    const refused = NO_LISTENER.includes(codeOf(error))
    const reason = refused ? 'nobody listens there' : error ? messageOf(error) : 'the kernel is gone'
    this.#lost.resolve(
      new LlmspellError(`${refused ? 'cannot connect' : 'connection'} to ${this.#endpoint}${refused ? '' : ' lost'}: ${reason}`, {
        code: refused ? 'transport.refused' : 'transport.lost',
        data: { endpoint: this.#endpoint },
        cause: error,
      }),
    )
  }
}
