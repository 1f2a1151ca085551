import type { Socket } from 'node:net'
import { type Clock, LlmspellError, type Logger, messageOf } from '@llmspell/base'
import { type Dap, encodeMessage, MessageDecoder } from '@llmspell/dap'
import type { DapMessage, DebugCoordinator, DebugSession } from '@llmspell/debug'

export interface DapConnectionParts {
  coordinator: DebugCoordinator
  /** A script has come to stand still; to be called before the client learns of it. */
  onStopped(): void
  clock: Clock
  logger: Logger
  trace(direction: 'in' | 'out', message: object): void
}

/** Bytes that a client which has not shown the token may send. */
const MOST_UNKNOWN_BYTES = 256 * 1024
/** Milliseconds in which it must show it. */
const INTRODUCTION = 60_000
/** Wrong tokens after which the connection is closed. */
const MOST_WRONG_TOKENS = 3
/** Bytes the client has not read: above the first scripts wait, above the second, or after that time, it is taken for gone. */
const SLOW_BYTES = 8 * 1024 ** 2
const SLOW_MS = 60_000
const GONE_BYTES = 256 * 1024 ** 2
/** Milliseconds for the last words to leave. */
const FAREWELL = 2000

/** One debugger on a socket. Until its launch or attach request has brought the token, it gets no further than `initialize`. */
export class DapConnection {
  readonly #socket: Socket
  readonly #isToken: (candidate: unknown) => boolean
  readonly #parts: DapConnectionParts
  readonly #session: DebugSession
  readonly #decoder = new MessageDecoder()
  #introduction: { cancel(): void } | undefined
  #unknownBytes = 0
  #wrongTokens = 0
  /** It said that it leaves, or was told that all is over: that the socket closes is in order. */
  #parted = false
  #drained: Promise<void> | undefined

  constructor(socket: Socket, isToken: (candidate: unknown) => boolean, parts: DapConnectionParts) {
    this.#socket = socket
    this.#isToken = isToken
    this.#parts = parts
    this.#introduction = parts.clock.setTimeout(() => this.#refuse('the token did not come in time'), INTRODUCTION)
    this.#session = parts.coordinator.createSession({
      kind: 'dap',
      send: (message) => this.#send(message),
      close: () => this.end(),
    })
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.on('error', (error) => parts.logger.log('debug', `a debugger's connection broke: ${messageOf(error)}`))
    socket.once('close', () => {
      this.#introduction?.cancel()
      this.#session.closed(this.#parted ? 'disconnected' : 'vanished')
    })
  }

  /** Pending while the client does not read what it is sent. */
  get drained(): Promise<void> | undefined {
    if (this.#socket.destroyed || this.#socket.writableLength < SLOW_BYTES) return undefined
    this.#drained ??= new Promise((resolve) => {
      const timer = this.#parts.clock.setTimeout(() => this.#giveUp(), SLOW_MS)
      const done = (): void => {
        timer.cancel()
        this.#socket.off('drain', done)
        this.#socket.off('close', done)
        this.#drained = undefined
        resolve()
      }
      this.#socket.on('drain', done)
      this.#socket.on('close', done)
    })
    return this.#drained
  }

  /** All is said: closes once it has left. */
  end(): void {
    this.#parted = true
    this.#close()
  }

  #close(): void {
    this.#socket.end()
    const timer = this.#parts.clock.setTimeout(() => this.#socket.destroy(), FAREWELL)
    this.#socket.once('close', () => timer.cancel())
  }

  #giveUp(): void {
    this.#parts.logger.log('warn', 'a debugger takes nothing of what it is sent and is disconnected')
    this.#socket.destroy()
  }

  #read(chunk: Buffer): void {
    if (this.#socket.writableEnded) return
    if (this.#introduction) {
      this.#unknownBytes += chunk.length
      if (this.#unknownBytes > MOST_UNKNOWN_BYTES) return this.#refuse('too much was sent without the token')
    }
    try {
      this.#decoder.push(chunk, (message) => this.#receive(message))
    } catch (error) {
      this.#refuse(messageOf(error), LlmspellError.is(error) ? error.hint : undefined)
    }
  }

  #receive(message: unknown): void {
    if (this.#socket.writableEnded) return
    if (typeof message === 'object' && message !== null) this.#parts.trace('in', message)
    const admitted = this.#introduction ? this.#admit(message) : message
    if (admitted === undefined) return
    if ((admitted as { command?: unknown } | null)?.command === 'disconnect') this.#parted = true
    this.#session.receive(admitted)
  }

  /** The message as the session may see it: without the token. */
  #admit(message: unknown): unknown {
    const { type, command, arguments: args } = (message ?? {}) as { type?: unknown; command?: unknown; arguments?: Record<string, unknown> }
    if (type !== 'request' || command === 'initialize') return message
    if (command === 'disconnect') {
      this.#answer(message, true)
      this.end()
      return undefined
    }
    if (command !== 'launch' && command !== 'attach') {
      this.#answer(message, false, `${String(command)} must come after launch or attach`)
      return undefined
    }
    const { token, ...rest } = args ?? {}
    if (this.#isToken(token)) {
      this.#introduction?.cancel()
      this.#introduction = undefined
      return { ...(message as object), arguments: rest }
    }
    this.#wrongTokens++
    const what = token === undefined ? 'the token is missing' : 'the token is wrong'
    this.#answer(message, false, `${what}: the arguments of ${command} need the "token" that start_debug_server answered`)
    if (this.#wrongTokens >= MOST_WRONG_TOKENS) this.#refuse('no token was right')
    return undefined
  }

  #answer(request: unknown, success: boolean, message?: string): void {
    const { seq, command } = request as { seq?: unknown; command: string }
    const error = message === undefined ? {} : { message, body: { error: { id: 1, format: message, showUser: true } } }
    this.#send({ seq: 0, type: 'response', request_seq: typeof seq === 'number' ? seq : 0, success, command, ...error })
  }

  /** Says why and closes. */
  #refuse(reason: string, hint?: string): void {
    this.#parts.logger.log('warn', `a debugger was disconnected: ${reason}`)
    const text = `llmspell: this connection is closed: ${reason}${hint === undefined ? '' : ` (${hint})`}\n`
    this.#send({ seq: 0, type: 'event', event: 'output', body: { category: 'important', output: text } })
    this.#close()
  }

  #send(message: DapMessage): void {
    if (this.#socket.writableEnded || this.#socket.destroyed) return
    this.#parts.trace('out', message)
    if (message['event'] === 'stopped') this.#parts.onStopped()
    this.#socket.write(encodeMessage(message as unknown as Dap.ProtocolMessage))
    if (this.#socket.writableLength > GONE_BYTES) this.#giveUp()
  }
}
