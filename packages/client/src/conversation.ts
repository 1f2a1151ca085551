import { type Clock, type Disposable, Emitter, LlmspellError } from '@llmspell/base'
import {
  type AbortedReply,
  type ContentOf,
  type ErrorReply,
  type ExecuteExtension,
  type Header,
  isMessage,
  type Message,
  type ReplyTypeOf,
  type RequestType,
  type Session,
} from '@llmspell/jupyter'
import { Execution, type ExecutionHandlers } from './execution.ts'
import { extension } from './metadata.ts'
import { type Output, outputOf } from './output.ts'

export interface ExecuteOptions extends ExecutionHandlers, ExecuteExtension {
  silent?: boolean
  storeHistory?: boolean
  stopOnError?: boolean
  userExpressions?: Record<string, string>
}

export interface RequestOptions {
  timeoutMs?: number
  /** Default: the usual channel of the type. */
  channel?: 'shell' | 'control'
  metadata?: Record<string, unknown>
}

/** The content of a successful reply. */
export type OkOf<T extends RequestType> = Exclude<ContentOf<ReplyTypeOf<T>>, ErrorReply | AbortedReply>

export interface ConversationOptions {
  session: Session
  clock: Clock
  requestTimeoutMs: number
  idleTimeoutMs: number
  send(channel: 'shell' | 'control' | 'stdin', message: Message): void
  /** Something waits for the kernel now (true), or nothing does any more. */
  onWaiting(waiting: boolean): void
}

interface PendingRequest {
  resolve(message: Message): void
  reject(error: LlmspellError): void
  timer: { cancel(): void }
}

/**
 * What one client has asked of its kernel and what came back: replies and outputs find their requests by parent header, so any
 * number may be under way. Knows nothing of carriers.
 */
export class Conversation {
  readonly #options: ConversationOptions
  readonly #session: Session
  readonly #clock: Clock
  readonly #requests = new Map<string, PendingRequest>()
  readonly #executions = new Map<string, Execution>()
  readonly #idleTimers = new Map<string, { cancel(): void }>()
  readonly #messages = new Emitter<Message>()
  readonly #lateOutputs = new Emitter<Output>()
  readonly #traffic = new Emitter<{ direction: 'in' | 'out'; message: Message }>()
  #ended: LlmspellError | undefined

  constructor(options: ConversationOptions) {
    this.#options = options
    this.#session = options.session
    this.#clock = options.clock
  }

  /** Set once nothing can be asked any more. */
  get ended(): LlmspellError | undefined {
    return this.#ended
  }

  /** Output that this client's executions cause after they have ended: callbacks, timers. What other clients cause is not told. */
  onLateOutput(listener: (output: Output) => void): Disposable {
    return this.#lateOutputs.on(listener)
  }

  /** Every message in either direction, as a trace shows it. */
  onTraffic(listener: (direction: 'in' | 'out', message: Message) => void): Disposable {
    return this.#traffic.on(({ direction, message }) => listener(direction, message))
  }

  /** Every message that arrives, also those other clients caused. */
  onMessage(listener: (message: Message) => void): Disposable {
    return this.#messages.on(listener)
  }

  execute(code: string, options: ExecuteOptions = {}): Execution {
    const { language, source, namespace, args, cwd } = options
    const request = this.#session.create(
      'execute_request',
      {
        code,
        silent: options.silent ?? false,
        store_history: options.storeHistory ?? !options.silent,
        user_expressions: options.userExpressions ?? {},
        allow_stdin: options.onInput !== undefined,
        stop_on_error: options.stopOnError ?? true,
      },
      { metadata: extension<ExecuteExtension>({ language, source, namespace, args, cwd }) },
    )
    const { msg_id: id } = request.header
    const execution = new Execution(id, options)
    if (this.#ended) {
      execution.fail(this.#ended)
      return execution
    }
    this.#executions.set(id, execution)
    execution.ended.addEventListener('abort', () => {
      this.#executions.delete(id)
      this.#idleTimers.get(id)?.cancel()
      this.#idleTimers.delete(id)
      this.#watch()
    })
    this.#watch()
    this.#send('shell', request)
    return execution
  }

  /** Any request that has one reply. A reply that tells of an error rejects with code `kernel.request_failed`. */
  async request<T extends RequestType>(type: T, content: ContentOf<T>, options: RequestOptions = {}): Promise<OkOf<T>> {
    if (this.#ended) throw this.#ended
    const request = this.#session.create(type, content, {
      metadata: options.metadata ?? {},
      ...(options.channel === undefined ? {} : { channel: options.channel as never }),
    })
    const { msg_id: id } = request.header
    const timeoutMs = options.timeoutMs ?? this.#options.requestTimeoutMs
    const arrived = new Promise<Message>((resolve, reject) => {
      const timer = this.#clock.setTimeout(() => {
        this.#forget(id)
        reject(
          new LlmspellError(`the kernel did not answer ${type} within ${timeoutMs} ms`, {
            code: 'kernel.request_timeout',
            data: { type, timeoutMs },
          }),
        )
      }, timeoutMs)
      this.#requests.set(id, { resolve, reject, timer })
    })
    this.#watch()
    try {
      this.#send(request.channel as 'shell' | 'control', request)
    } catch (error) {
      this.#forget(id)
      throw error
    }
    const reply = (await arrived).content
    if (reply['status'] !== 'error') return reply as unknown as OkOf<T>
    throw new LlmspellError(`the kernel refused ${type}: ${String(reply['evalue'])}`, {
      code: 'kernel.request_failed',
      data: { type, ename: reply['ename'], evalue: reply['evalue'] },
    })
  }

  /** Everything under way fails with this error, and what is asked later too. */
  end(error: LlmspellError): void {
    if (this.#ended) return
    this.#ended = error
    for (const [id, request] of [...this.#requests]) {
      this.#forget(id)
      request.reject(error)
    }
    for (const execution of [...this.#executions.values()]) execution.fail(error)
  }

  #send(channel: 'shell' | 'control' | 'stdin', message: Message<object>): void {
    if (this.#traffic.listenerCount > 0) this.#traffic.emit({ direction: 'out', message: message as Message })
    this.#options.send(channel, message as Message)
  }

  receive(message: Message): void {
    if (this.#traffic.listenerCount > 0) this.#traffic.emit({ direction: 'in', message })
    const parent = (message.parent_header as Header).msg_id as string | undefined
    if (parent !== undefined) {
      if (message.channel === 'iopub') this.#published(parent, message)
      else if (message.channel === 'stdin') void this.#input(parent, message)
      else this.#replied(parent, message)
    }
    if (this.#messages.listenerCount > 0) this.#messages.emit(message)
  }

  #published(parent: string, message: Message): void {
    const execution = this.#executions.get(parent)
    if (!execution) {
      this.#publishedLate(message)
      return
    }
    execution.published(message)
    if (execution.awaitsIdle) this.#expectIdle(parent, execution)
  }

  #publishedLate(message: Message): void {
    if (this.#lateOutputs.listenerCount === 0 || message.parent_header.session !== this.#session.id) return
    const output = outputOf(message)
    if (output) this.#lateOutputs.emit(output)
  }

  #replied(parent: string, message: Message): void {
    const request = this.#requests.get(parent)
    if (request) {
      this.#forget(parent)
      request.resolve(message)
      return
    }
    const execution = this.#executions.get(parent)
    if (!execution || !isMessage(message, 'execute_reply')) return
    execution.replied(message.content)
    if (execution.awaitsIdle) this.#expectIdle(parent, execution)
  }

  /** The reply is here and outputs may follow; only silence is suspicious. */
  #expectIdle(id: string, execution: Execution): void {
    const ms = this.#options.idleTimeoutMs
    this.#idleTimers.get(id)?.cancel()
    const timer = this.#clock.setTimeout(() => {
      execution.fail(
        new LlmspellError(`the kernel replied but its output did not end within ${ms} ms`, {
          code: 'kernel.output_incomplete',
          data: { ms },
        }),
      )
    }, ms)
    this.#idleTimers.set(id, timer)
  }

  async #input(parent: string, message: Message): Promise<void> {
    if (!isMessage(message, 'input_request')) return
    const execution = this.#executions.get(parent)
    const asked = execution?.input(message.content)
    if (!execution || !asked) return
    let value: string
    try {
      value = await asked
    } catch {
      return // Whoever gives up on input interrupts the execution; there is nothing to answer.
    }
    if (execution.ended.aborted || this.#ended) return
    this.#send('stdin', this.#session.create('input_reply', { value }, { parent: message }))
  }

  #forget(id: string): void {
    this.#requests.get(id)?.timer.cancel()
    this.#requests.delete(id)
    this.#watch()
  }

  #watch(): void {
    this.#options.onWaiting(!this.#ended && this.#requests.size + this.#executions.size > 0)
  }
}
