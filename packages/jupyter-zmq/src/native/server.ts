import { rmSync } from 'node:fs'
import { codeOf, LlmspellError, messageOf, withTimeout } from '@llmspell/base'
import type { Reply, Router, XPublisher } from 'zeromq'
import type { CurveKeys, Frames, ServerKind, ServerSocket, ServerSockets, SubscriptionReply } from '../sockets.ts'
import { type Addon, loadAddon, loadCurveAddon } from './addon.ts'
import { SendQueue } from './send-queue.ts'

/** Messages libzmq holds for one subscriber before our queue, which counts bytes, takes over. */
const SEND_HIGH_WATER_MARK = 1000
/** A subscriber whose pipe is full answers no ping; after this time it is disconnected, so that it cannot hold up the others. */
const HEARTBEAT_TIMEOUT_MS = 60_000
const HEARTBEAT_INTERVAL_MS = 20_000

export interface NativeServerOptions {
  curve: CurveKeys
  /** Bytes of one frame; the peer that sends more is disconnected. */
  maxFrameBytes: number
  onError: (error: unknown) => void
}

export async function nativeServerSockets(options: NativeServerOptions): Promise<ServerSockets> {
  const secret = options.curve.curve_secretkey
  if (options.curve.curve_publickey !== undefined && secret === undefined)
    throw new LlmspellError('the connection file has a CURVE public key but no secret key', {
      code: 'zmq.curve_key_missing',
      hint: 'A kernel needs curve_secretkey to encrypt.',
    })
  const zmq = await (secret === undefined ? loadAddon() : loadCurveAddon())
  return {
    async bind(kind, endpoint) {
      const socket = createSocket(zmq, kind, options.maxFrameBytes)
      if (secret !== undefined) {
        socket.curveServer = true
        socket.curveSecretKey = secret
      }
      try {
        await socket.bind(endpoint)
      } catch (error) {
        socket.close()
        throw codeOf(error) === undefined ? error : Object.assign(new Error(messageOf(error)), { code: codeOf(error) })
      }
      return new NativeServerSocket(socket, kind, endpoint, options.onError)
    },
  }
}

function createSocket(zmq: Addon, kind: ServerKind, maxMessageSize: number): Router | XPublisher | Reply {
  const options = { linger: 0, maxMessageSize }
  switch (kind) {
    case 'router':
      // handover: a client that reconnects with its identity replaces its old connection.
      return new zmq.Router({ ...options, handover: true, sendHighWaterMark: 0, receiveHighWaterMark: 0 })
    case 'xpub':
      return new zmq.XPublisher({
        ...options,
        verbosity: 'allSubs',
        noDrop: true,
        sendHighWaterMark: SEND_HIGH_WATER_MARK,
        heartbeatInterval: HEARTBEAT_INTERVAL_MS,
        heartbeatTimeout: HEARTBEAT_TIMEOUT_MS,
      })
    case 'echo':
      return new zmq.Reply(options)
  }
}

class NativeServerSocket implements ServerSocket {
  readonly endpoint: string
  readonly #socket: Router | XPublisher | Reply
  readonly #kind: ServerKind
  readonly #queue: SendQueue
  readonly #onError: (error: unknown) => void
  #closing: Promise<void> | undefined

  constructor(socket: Router | XPublisher | Reply, kind: ServerKind, endpoint: string, onError: (error: unknown) => void) {
    this.#socket = socket
    this.#kind = kind
    this.endpoint = socket.lastEndpoint ?? endpoint
    this.#queue = new SendQueue(socket, onError)
    this.#onError = onError
  }

  get backlog(): number {
    return this.#queue.backlog
  }

  start(receive: (frames: Uint8Array[], reply: SubscriptionReply) => void): void {
    const toAll: SubscriptionReply = (frames) => this.#queue.push(frames)
    void this.#receiveLoop(this.#kind === 'echo' ? toAll : (frames) => receive(frames, toAll))
  }

  send(frames: Frames): boolean {
    this.#queue.push(frames)
    return true
  }

  flushed(): Promise<void> {
    return this.#queue.idle
  }

  close(lingerMs: number): Promise<void> {
    this.#closing ??= this.#close(lingerMs)
    return this.#closing
  }

  async #close(lingerMs: number): Promise<void> {
    await withTimeout(this.#queue.idle, lingerMs, 'the send queue').catch(() => undefined)
    this.#socket.linger = lingerMs
    this.#socket.close()
    // libzmq leaves the file of an ipc socket behind.
    if (this.endpoint.startsWith('ipc://')) rmSync(this.endpoint.slice('ipc://'.length), { force: true })
  }

  async #receiveLoop(receive: (frames: Uint8Array[]) => void): Promise<void> {
    while (!this.#socket.closed) {
      try {
        receive(await this.#socket.receive())
      } catch (error) {
        if (this.#socket.closed) return
        this.#onError(error)
      }
    }
  }
}
