import { setImmediate } from 'node:timers/promises'
import { deferred, LlmspellError, withTimeout } from '@llmspell/base'
import type { Dealer, Subscriber } from 'zeromq'
import type { ClientKind, ClientSocket, ClientSockets, CurveKeys, Frames } from '../sockets.ts'
import { type Addon, loadAddon, loadCurveAddon } from './addon.ts'
import { SendQueue } from './send-queue.ts'

export interface NativeClientOptions {
  curve: CurveKeys
  /** One identity on shell, control and stdin: the kernel asks for input where the request came from. */
  identity: string
}

export async function nativeClientSockets(options: NativeClientOptions): Promise<ClientSockets> {
  const { curve_publickey: serverKey, curve_secretkey: secretKey } = options.curve
  const zmq = await (serverKey === undefined ? loadAddon() : loadCurveAddon())
  // Whoever can read the kernel's file may act under its pair; who knows the public key alone makes a pair of its own.
  const pair = serverKey === undefined || secretKey !== undefined ? { publicKey: serverKey, secretKey } : zmq.curveKeyPair()
  return {
    connect(kind, endpoint, receive) {
      const socket = createSocket(zmq, kind, options.identity)
      if (serverKey !== undefined) {
        socket.curveServerKey = serverKey
        socket.curvePublicKey = pair.publicKey ?? null
        socket.curveSecretKey = pair.secretKey ?? null
      }
      return new NativeClientSocket(socket, endpoint, receive)
    },
  }
}

function createSocket(zmq: Addon, kind: ClientKind, routingId: string): Dealer | Subscriber {
  if (kind !== 'sub') return new zmq.Dealer({ linger: 0, routingId, sendHighWaterMark: 0, receiveHighWaterMark: 0 })
  const socket = new zmq.Subscriber({ linger: 0, receiveHighWaterMark: 0 })
  socket.subscribe()
  return socket
}

class NativeClientSocket implements ClientSocket {
  readonly #socket: Dealer | Subscriber
  readonly #queue: SendQueue | undefined
  readonly #lost = deferred<Error>()
  readonly #endpoint: string
  #closing: Promise<void> | undefined

  constructor(socket: Dealer | Subscriber, endpoint: string, receive: (frames: Uint8Array[]) => void) {
    this.#socket = socket
    this.#endpoint = endpoint
    this.#queue = 'send' in socket ? new SendQueue(socket, (error) => this.#lose(error)) : undefined
    socket.events.on('disconnect', () => void this.#loseWhenRead())
    socket.events.on('handshake:error:protocol', () => this.#lose('the ZeroMQ handshake failed'))
    socket.events.on('handshake:error:auth', () => this.#lose('the kernel refused the CURVE key'))
    socket.connect(endpoint)
    void this.#receiveLoop(receive)
  }

  get lost(): Promise<Error> {
    return this.#lost.promise
  }

  send(frames: Frames): void {
    this.#queue?.push(frames)
  }

  close(lingerMs: number): Promise<void> {
    this.#closing ??= this.#close(lingerMs)
    return this.#closing
  }

  async #close(lingerMs: number): Promise<void> {
    if (this.#queue) await withTimeout(this.#queue.idle, lingerMs, 'the send queue').catch(() => undefined)
    this.#socket.linger = lingerMs
    this.#socket.close()
  }

  /** The event overtakes messages that came before the end and wait to be received. */
  async #loseWhenRead(): Promise<void> {
    while (!this.#socket.closed && this.#socket.readable) await setImmediate()
    this.#lose()
  }

  #lose(cause?: unknown): void {
    if (this.#closing) return
    const reason = typeof cause === 'string' ? cause : 'the kernel is gone'
    this.#lost.resolve(
      new LlmspellError(`connection to ${this.#endpoint} lost: ${reason}`, {
        code: 'transport.lost',
        data: { endpoint: this.#endpoint },
        cause: typeof cause === 'string' ? undefined : cause,
      }),
    )
  }

  async #receiveLoop(receive: (frames: Uint8Array[]) => void): Promise<void> {
    while (!this.#socket.closed) {
      try {
        receive(await this.#socket.receive())
      } catch (error) {
        if (this.#socket.closed) return
        this.#lose(error)
        return
      }
    }
  }
}
