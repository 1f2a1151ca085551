import type { Socket } from 'node:net'
import { deferred, withTimeout } from '@llmspell/base'
import type { EncodedMessage } from './framing.ts'
import {
  checkGreeting,
  decodeReady,
  encodeCommand,
  encodeGreeting,
  encodeReady,
  GREETING_BYTES,
  protocolError,
  ZmtpParser,
} from './framing.ts'

export interface ConnectionOptions {
  socketType: string
  identity: Uint8Array
  /** Socket types the other end may have. */
  peerTypes: readonly string[]
  maxMessageBytes: number
}

export interface ConnectionEvents {
  /** The handshake is done; messages may be sent. */
  onReady(peerIdentity: Buffer): void
  onMessage(frames: Buffer[]): void
  /** Of ZMTP 3.1 beside PING and PONG: SUBSCRIBE, CANCEL. */
  onCommand(name: string, body: Buffer): void
  onTooLarge(bytes: number): void
  /** Once, with the reason when it was not this end's `close`. */
  onClose(error: Error | undefined): void
}

/** One message for many connections: encoded once. */
export interface Outgoing extends EncodedMessage {
  droppable: boolean
}

const HANDSHAKE_TIMEOUT_MS = 10_000
const KEEP_ALIVE_MS = 60_000
const MAX_PONG_BACKLOG = 1024 * 1024
/** Octets joined into one write. */
const BATCH_BYTES = 128 * 1024
/** A piece this small is copied into a batch rather than written by reference. */
const SMALL_PIECE_BYTES = 16 * 1024

/** ZMTP over one stream: handshake, messages in, an ordered queue of messages out. */
export class ZmtpConnection {
  readonly #socket: Socket
  readonly #options: ConnectionOptions
  readonly #events: ConnectionEvents
  readonly #parser: ZmtpParser
  #state: 'greeting' | 'handshake' | 'ready' | 'closed' = 'greeting'
  #greeting = Buffer.alloc(0)
  #queue: Outgoing[] = []
  #head = 0
  #queuedBytes = 0
  #scheduled = false
  #blocked = false
  #error: Error | undefined
  /** Messages ever queued, and ever taken by the operating system: what `taken` waits by. */
  #enqueued = 0
  #written = 0
  #waiters: { at: number; resolve: () => void }[] = []
  #progress = 0
  #handshakeTimer: ReturnType<typeof setTimeout>

  constructor(socket: Socket, options: ConnectionOptions, events: ConnectionEvents) {
    this.#socket = socket
    this.#options = options
    this.#events = events
    this.#parser = new ZmtpParser(options.maxMessageBytes, {
      onMessage: (frames) => this.#onMessage(frames),
      onCommand: (name, body) => this.#onCommand(name, body),
      onTooLarge: (bytes) => this.#events.onTooLarge(bytes),
    })
    this.#handshakeTimer = setTimeout(() => this.destroy(protocolError('no handshake in time')), HANDSHAKE_TIMEOUT_MS)
    socket.setNoDelay(true)
    // A host that vanished without a word is noticed, if late.
    socket.setKeepAlive(true, KEEP_ALIVE_MS)
    socket.on('data', (chunk: Buffer) => this.#onData(chunk))
    socket.on('drain', () => this.#onDrain())
    socket.on('error', (error) => {
      this.#error ??= error
    })
    socket.on('close', () => this.#onClose())
    // READY may follow the greeting at once; messages must not, before the other end's READY is there.
    socket.write(Buffer.concat([encodeGreeting(), encodeReady(options.socketType, options.identity)]))
  }

  get ready(): boolean {
    return this.#state === 'ready'
  }

  /** Bytes queued here or in the stream. */
  get backlog(): number {
    return this.#queuedBytes + this.#socket.writableLength
  }

  /** Changes whenever the other end has taken something. */
  get progress(): number {
    return this.#progress
  }

  send(message: Outgoing): void {
    if (this.#state === 'closed') return
    this.#queue.push(message)
    this.#queuedBytes += message.bytes
    this.#enqueued++
    this.#schedule()
  }

  /** Resolves when what was sent before the call has been taken by the operating system, or the connection is gone. */
  taken(): Promise<void> {
    if (this.#written >= this.#enqueued || this.#state === 'closed') return Promise.resolve()
    const waiter = deferred()
    this.#waiters.push({ at: this.#enqueued, resolve: waiter.resolve })
    return waiter.promise
  }

  /** Frees the waiters of {@link taken} though the other end takes nothing. */
  giveUpWaiting(): void {
    for (const waiter of this.#waiters.splice(0)) waiter.resolve()
  }

  /** Sends what is queued and waits for the other end to see it, at most `lingerMs` in all. */
  async close(lingerMs: number): Promise<void> {
    const pending = this.#written < this.#enqueued
    if ((this.#state === 'ready' || (this.#state !== 'closed' && pending)) && lingerMs > 0)
      await withTimeout(this.#finish(), lingerMs, 'the peer to take the rest').catch(() => undefined)
    this.destroy()
  }

  /** Ends the stream rather than cutting it: a reset would take with it what the peer has not read yet. */
  async #finish(): Promise<void> {
    await this.taken()
    await new Promise<void>((resolve) => {
      this.#socket.once('close', () => resolve())
      this.#socket.end()
    })
  }

  destroy(error?: Error): void {
    this.#error ??= error
    this.#socket.destroy()
    // 'close' comes a tick later; nothing may be delivered in between.
    this.#onClose()
  }

  #onData(chunk: Buffer): void {
    if (this.#state === 'closed') return
    try {
      if (this.#state === 'greeting') this.#onGreeting(chunk)
      else this.#parser.push(chunk)
    } catch (error) {
      this.destroy(error as Error)
    }
  }

  #onGreeting(chunk: Buffer): void {
    this.#greeting = Buffer.concat([this.#greeting, chunk])
    if (this.#greeting.length < GREETING_BYTES) return
    const received = this.#greeting
    this.#greeting = Buffer.alloc(0)
    checkGreeting(received)
    this.#state = 'handshake'
    if (received.length > GREETING_BYTES) this.#parser.push(received.subarray(GREETING_BYTES))
  }

  #onCommand(name: string, body: Buffer): void {
    if (name === 'READY') this.#onReady(body)
    else if (name === 'PING') this.#answerPing(body)
    else if (name === 'ERROR') this.destroy(protocolError(`the peer refuses: ${body.toString('latin1', 1)}`))
    else if (name !== 'PONG' && this.#state === 'ready') this.#events.onCommand(name, body)
  }

  #onReady(body: Buffer): void {
    if (this.#state !== 'handshake') throw protocolError('a second READY')
    const { socketType, identity } = decodeReady(body)
    if (!this.#options.peerTypes.includes(socketType))
      throw protocolError(`a ${this.#options.socketType} socket cannot talk to a ${socketType} socket`)
    this.#state = 'ready'
    clearTimeout(this.#handshakeTimer)
    this.#events.onReady(identity)
    this.#schedule()
  }

  /** PING is a time to live and a context; PONG gives the context back. */
  #answerPing(body: Buffer): void {
    // A peer that asks and never reads gets no more answers.
    if (this.#socket.writableLength < MAX_PONG_BACKLOG) this.#socket.write(encodeCommand('PONG', body.subarray(2, 18)))
  }

  #onMessage(frames: Buffer[]): void {
    // A listener may close this connection while the rest of a chunk is still being cut up.
    if (this.#state === 'closed') return
    if (this.#state !== 'ready') throw protocolError('a message before the handshake')
    this.#events.onMessage(frames)
  }

  /** Everything sent within one turn goes out in as few writes as possible. */
  #schedule(): void {
    if (this.#scheduled || this.#blocked || this.#state !== 'ready') return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      this.#flush()
    })
  }

  #flush(): void {
    while (this.#head < this.#queue.length && !this.#blocked && this.#state === 'ready') this.#writeBatch()
    if (this.#head === this.#queue.length) {
      this.#queue = []
      this.#head = 0
    } else if (this.#head > 1024 && this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head)
      this.#head = 0
    }
  }

  #writeBatch(): void {
    const writes: Uint8Array[] = []
    let small: Uint8Array[] = []
    let smallBytes = 0
    let bytes = 0
    let messages = 0
    const join = (): void => {
      if (small.length === 0) return
      writes.push(small.length === 1 ? (small[0] as Uint8Array) : Buffer.concat(small, smallBytes))
      small = []
      smallBytes = 0
    }
    while (this.#head < this.#queue.length && bytes < BATCH_BYTES) {
      const message = this.#queue[this.#head] as Outgoing
      this.#queue[this.#head++] = undefined as unknown as Outgoing
      for (const piece of message.pieces) {
        if (piece.length < SMALL_PIECE_BYTES) {
          small.push(piece)
          smallBytes += piece.length
        } else {
          join()
          writes.push(piece)
        }
      }
      bytes += message.bytes
      messages++
    }
    join()
    this.#queuedBytes -= bytes
    const socket = this.#socket
    const last = writes.length - 1
    if (last > 0) socket.cork()
    for (let i = 0; i < last; i++) socket.write(writes[i] as Uint8Array)
    socket.write(writes[last] as Uint8Array, () => this.#taken(messages))
    this.#blocked = socket.writableNeedDrain
    if (last > 0) socket.uncork()
  }

  #taken(messages: number): void {
    this.#written += messages
    this.#progress++
    while (this.#waiters.length > 0 && (this.#waiters[0] as { at: number }).at <= this.#written) this.#waiters.shift()?.resolve()
  }

  #onDrain(): void {
    this.#blocked = false
    this.#progress++
    this.#flush()
  }

  #onClose(): void {
    if (this.#state === 'closed') return
    this.#state = 'closed'
    clearTimeout(this.#handshakeTimer)
    this.#queue = []
    this.#head = 0
    this.#queuedBytes = 0
    this.giveUpWaiting()
    this.#events.onClose(this.#error)
  }
}
