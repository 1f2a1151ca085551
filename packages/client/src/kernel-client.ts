import { type Clock, type Disposable, Emitter, LlmspellError, messageOf, systemClock } from '@llmspell/base'
import type {
  ClientTransport,
  ExecuteExtension,
  Header,
  KernelStatusReply,
  LanguageExtension,
  Message,
  ShutdownExtension,
  VariablesReply,
} from '@llmspell/jupyter'
import { PROTOCOL_VERSION } from '@llmspell/jupyter'
import type {
  CompleteResult,
  ExecuteReply,
  HistoryItem,
  HistoryQuery,
  InspectResult,
  IsCompleteResult,
  KernelInfo,
  Language,
} from './contents.ts'
import { Execution, type ExecutionHandlers } from './execution.ts'
import { Liveness } from './liveness.ts'
import { codePointsToUtf16, utf16ToCodePoints } from './positions.ts'

export interface KernelClientOptions {
  /** Not yet open; the client opens it in `connect` and closes it in `close`. */
  transport: ClientTransport
  /** Default: a new one. */
  session?: string
  username?: string
  /** False when the kernel's process is known to be gone; asked several times a second while something waits. Must be cheap. */
  isProcessAlive?: () => boolean
  /** Milliseconds for `connect`. Default 10 000. */
  connectTimeoutMs?: number
  /** Milliseconds a request other than an execution may take. Default 30 000. */
  requestTimeoutMs?: number
  /** Milliseconds of silence on IOPub after an execute_reply whose idle status has not come. Default 30 000. */
  idleTimeoutMs?: number
  /** The kernel stopped answering heartbeats while something waited (true), or answers again (false). */
  onUnresponsive?(unresponsive: boolean): void
  clock?: Clock
}

export interface ExecuteOptions extends ExecutionHandlers, ExecuteExtension {
  silent?: boolean
  storeHistory?: boolean
  stopOnError?: boolean
  userExpressions?: Record<string, string>
}

export interface RequestOptions {
  timeoutMs?: number
  metadata?: Record<string, unknown>
}

interface PendingRequest {
  resolve(message: Message): void
  reject(error: LlmspellError): void
  timer: { cancel(): void }
}

/**
 * One client of one kernel, over any carrier. Replies find their requests by parent header, so any number may be under way.
 * Everything that waits ends: with an answer, with a named time-out, or with `kernel.died`, `kernel.unresponsive` or
 * `client.closed`.
 */
export class KernelClient {
  readonly session: string
  readonly #options: KernelClientOptions
  readonly #transport: ClientTransport
  readonly #clock: Clock
  readonly #username: string
  readonly #requests = new Map<string, PendingRequest>()
  readonly #executions = new Map<string, Execution>()
  readonly #idleTimers = new Map<string, { cancel(): void }>()
  readonly #messages = new Emitter<Message>()
  readonly #liveness: Liveness
  #gone: LlmspellError | undefined
  /** Ends `connect` early when the process dies under it. */
  #whenGone: ((error: LlmspellError) => void) | undefined
  #counter = 0

  private constructor(options: KernelClientOptions) {
    this.#options = options
    this.#transport = options.transport
    this.#clock = options.clock ?? systemClock
    this.session = options.session ?? globalThis.crypto.randomUUID()
    this.#username = options.username ?? 'llmspell'
    this.#liveness = new Liveness({
      ping: (timeoutMs) => this.#transport.ping(timeoutMs),
      isProcessAlive: options.isProcessAlive,
      clock: this.#clock,
      onDead: (error) => this.#end(error),
      onUnresponsive: (unresponsive) => options.onUnresponsive?.(unresponsive),
    })
  }

  /** Opens the transport; resolves when the IOPub subscription stands. Code `kernel.connect_failed` when that fails or takes too long. */
  static async connect(options: KernelClientOptions): Promise<KernelClient> {
    const client = new KernelClient(options)
    await client.#open(options.connectTimeoutMs ?? 10_000)
    return client
  }

  async #open(timeoutMs: number): Promise<void> {
    this.#transport.onMessage((message) => this.#receive(message))
    let timer: { cancel(): void } | undefined
    const tooLong = new Promise<never>((_, reject) => {
      timer = this.#clock.setTimeout(
        () => reject(new LlmspellError(`it did not answer within ${timeoutMs} ms`, { code: 'timeout', data: { timeoutMs } })),
        timeoutMs,
      )
    })
    const died = new Promise<never>((_, reject) => {
      this.#whenGone = reject
    })
    this.#liveness.start()
    try {
      await Promise.race([this.#transport.open(), tooLong, died])
    } catch (cause) {
      await this.close()
      if (LlmspellError.is(cause) && cause.code === 'kernel.died') throw cause
      throw new LlmspellError(`cannot connect to the kernel: ${messageOf(cause)}`, { code: 'kernel.connect_failed', cause })
    } finally {
      timer?.cancel()
      this.#whenGone = undefined
      this.#watch()
    }
    void this.#transport.closed.then((reason) => {
      if (this.#gone) return
      const message = reason ? `the connection to the kernel broke: ${messageOf(reason)}` : 'the connection to the kernel was closed'
      this.#end(new LlmspellError(message, { code: 'kernel.died', data: { reason: 'transport_closed' }, cause: reason }))
    })
  }

  /** Set once the kernel is known to be gone, or the client was closed; nothing can be asked any more. */
  get gone(): LlmspellError | undefined {
    return this.#gone
  }

  /** Every message that arrives, also those other clients caused. */
  onMessage(listener: (message: Message) => void): Disposable {
    return this.#messages.on(listener)
  }

  execute(code: string, options: ExecuteOptions = {}): Execution {
    const { language, source, namespace, args, cwd, ...rest } = options
    const header = this.#header('execute_request')
    const execution = new Execution(header.msg_id, rest)
    if (this.#gone) {
      execution.fail(this.#gone)
      return execution
    }
    this.#executions.set(header.msg_id, execution)
    execution.ended.addEventListener('abort', () => {
      this.#executions.delete(header.msg_id)
      this.#idleTimers.get(header.msg_id)?.cancel()
      this.#idleTimers.delete(header.msg_id)
      this.#watch()
    })
    this.#watch()
    const extension = present<ExecuteExtension>({ language, source, namespace, args, cwd })
    this.#send(
      'shell',
      header,
      {
        code,
        silent: rest.silent ?? false,
        store_history: rest.storeHistory ?? !rest.silent,
        user_expressions: rest.userExpressions ?? {},
        allow_stdin: rest.onInput !== undefined,
        stop_on_error: rest.stopOnError ?? true,
      },
      extension,
    )
    return execution
  }

  /** Offsets are UTF-16, as JavaScript counts. */
  async complete(code: string, cursor: number, options: LanguageExtension & RequestOptions = {}): Promise<CompleteResult> {
    const content = await this.request(
      'shell',
      'complete_request',
      { code, cursor_pos: utf16ToCodePoints(code, cursor) },
      languageOptions(options),
    )
    const matches = Array.isArray(content['matches']) ? content['matches'].map(String) : []
    return {
      matches,
      start: codePointsToUtf16(code, Number(content['cursor_start'] ?? 0)),
      end: codePointsToUtf16(code, Number(content['cursor_end'] ?? 0)),
      metadata: (content['metadata'] ?? {}) as Record<string, unknown>,
    }
  }

  async inspect(
    code: string,
    cursor: number,
    options: LanguageExtension & RequestOptions & { detail?: 0 | 1 } = {},
  ): Promise<InspectResult> {
    const content = await this.request(
      'shell',
      'inspect_request',
      { code, cursor_pos: utf16ToCodePoints(code, cursor), detail_level: options.detail ?? 0 },
      languageOptions(options),
    )
    return { found: content['found'] === true, data: (content['data'] ?? {}) as InspectResult['data'] }
  }

  async isComplete(code: string, options: LanguageExtension & RequestOptions = {}): Promise<IsCompleteResult> {
    const content = await this.request('shell', 'is_complete_request', { code }, languageOptions(options))
    return { status: content['status'] as IsCompleteResult['status'], indent: String(content['indent'] ?? '') }
  }

  async history(query: HistoryQuery, options: RequestOptions = {}): Promise<HistoryItem[]> {
    const content = await this.request(
      'shell',
      'history_request',
      { output: false, raw: true, hist_access_type: query.access, ...historyContent(query) },
      options,
    )
    const rows = Array.isArray(content['history']) ? (content['history'] as [number, number, string][]) : []
    return rows.map(([session, line, source]) => ({ session, line, source }))
  }

  /** On control by default, where it is answered while a cell runs; older kernels know it on shell only. */
  async kernelInfo(options: RequestOptions & { channel?: 'shell' | 'control' } = {}): Promise<KernelInfo> {
    return (await this.request(options.channel ?? 'control', 'kernel_info_request', {}, options)) as unknown as KernelInfo
  }

  /** Interrupts what runs in the shared namespace, or only the execution named. Resolves when the kernel has taken it. */
  async interrupt(options: { execution?: string } & RequestOptions = {}): Promise<void> {
    const metadata = options.execution === undefined ? {} : { llmspell: { execution: options.execution } }
    await this.request('control', 'interrupt_request', {}, { ...options, metadata: { ...options.metadata, ...metadata } })
  }

  /**
   * `stop` ends a kernel this client does not own; without it such a kernel only lets go of the client (`detached`).
   * `restart` gives fresh namespaces; `inPlace` makes sure that the process stays.
   */
  async shutdown(options: ShutdownExtension & { restart?: boolean } & RequestOptions = {}): Promise<{ detached: boolean }> {
    const extension = present<ShutdownExtension>({ stop: options.stop, inPlace: options.inPlace })
    const metadata = Object.keys(extension).length > 0 ? { llmspell: extension } : {}
    const content = await this.request(
      'control',
      'shutdown_request',
      { restart: options.restart ?? false },
      { ...options, metadata: { ...options.metadata, ...metadata } },
    )
    return { detached: (content['llmspell'] as { detached?: boolean } | undefined)?.detached === true }
  }

  /** llmspell kernels only. */
  async status(options: RequestOptions = {}): Promise<KernelStatusReply> {
    return (await this.request('control', 'kernel_status_request', {}, options)) as unknown as KernelStatusReply
  }

  /** llmspell kernels only. */
  async variables(options: LanguageExtension & RequestOptions = {}): Promise<VariablesReply['variables']> {
    const content = await this.request('control', 'variables_request', {}, languageOptions(options))
    return (content as unknown as VariablesReply).variables
  }

  async usage(options: RequestOptions = {}): Promise<Record<string, unknown>> {
    return this.request('control', 'usage_request', {}, options)
  }

  ping(timeoutMs: number): Promise<number> {
    return this.#transport.ping(timeoutMs)
  }

  /** Any request that has one reply; resolves with the reply's content. An error reply rejects with code `kernel.request_failed`. */
  async request(
    channel: 'shell' | 'control',
    type: string,
    content: Record<string, unknown>,
    options: RequestOptions = {},
  ): Promise<Record<string, unknown>> {
    if (this.#gone) throw this.#gone
    const header = this.#header(type)
    const timeoutMs = options.timeoutMs ?? this.#options.requestTimeoutMs ?? 30_000
    const reply = new Promise<Message>((resolve, reject) => {
      const timer = this.#clock.setTimeout(() => {
        this.#forget(header.msg_id)
        reject(
          new LlmspellError(`the kernel did not answer ${type} within ${timeoutMs} ms`, {
            code: 'kernel.request_timeout',
            data: { type, timeoutMs },
          }),
        )
      }, timeoutMs)
      this.#requests.set(header.msg_id, { resolve, reject, timer })
    })
    this.#watch()
    this.#send(channel, header, content, undefined, options.metadata)
    const { content: answer } = await reply
    if (answer['status'] === 'error') {
      const evalue = String(answer['evalue'] ?? '')
      throw new LlmspellError(`the kernel refused ${type}: ${evalue}`, {
        code: 'kernel.request_failed',
        data: { type, ename: answer['ename'], evalue },
      })
    }
    return answer
  }

  /** Ends everything under way with code `client.closed` and closes the transport; the kernel goes on. Idempotent. */
  async close(): Promise<void> {
    this.#end(new LlmspellError('the client was closed', { code: 'client.closed' }))
    await this.#transport.close()
  }

  #receive(message: Message): void {
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
    if (!execution) return
    execution.published(message)
    if (execution.awaitsIdle) this.#expectIdle(parent, execution)
  }

  #replied(parent: string, message: Message): void {
    const request = this.#requests.get(parent)
    if (request) {
      this.#forget(parent)
      request.resolve(message)
      return
    }
    const execution = this.#executions.get(parent)
    if (!execution || message.header.msg_type !== 'execute_reply') return
    execution.replied(message.content as unknown as ExecuteReply)
    if (execution.awaitsIdle) this.#expectIdle(parent, execution)
  }

  /** The reply is here and outputs may follow; only silence is suspicious. */
  #expectIdle(id: string, execution: Execution): void {
    const ms = this.#options.idleTimeoutMs ?? 30_000
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
    if (message.header.msg_type !== 'input_request') return
    const execution = this.#executions.get(parent)
    const asked = execution?.input({ prompt: String(message.content['prompt'] ?? ''), password: message.content['password'] === true })
    if (!execution || !asked) return
    let value: string
    try {
      value = await asked
    } catch {
      return // Whoever gives up on input interrupts the execution; there is nothing to answer.
    }
    if (execution.ended.aborted || this.#gone) return
    const header = this.#header('input_reply')
    this.#transport.send('stdin', {
      channel: 'stdin',
      header,
      parent_header: message.header,
      metadata: {},
      content: { value },
      buffers: [],
    })
  }

  #send(
    channel: 'shell' | 'control',
    header: Header,
    content: Record<string, unknown>,
    extension?: object,
    metadata: Record<string, unknown> = {},
  ): void {
    this.#transport.send(channel, {
      channel,
      header,
      parent_header: {},
      metadata: extension && Object.keys(extension).length > 0 ? { ...metadata, llmspell: extension } : metadata,
      content,
      buffers: [],
    })
  }

  #header(type: string): Header {
    return {
      msg_id: `${this.session}_${this.#counter++}`,
      session: this.session,
      username: this.#username,
      date: new Date().toISOString(),
      msg_type: type,
      version: PROTOCOL_VERSION,
    }
  }

  #forget(id: string): void {
    this.#requests.get(id)?.timer.cancel()
    this.#requests.delete(id)
    this.#watch()
  }

  #watch(): void {
    if (!this.#gone && this.#requests.size + this.#executions.size > 0) this.#liveness.start()
    else this.#liveness.stop()
  }

  #end(error: LlmspellError): void {
    if (this.#gone) return
    this.#gone = error
    this.#liveness.stop()
    this.#whenGone?.(error)
    for (const [id, request] of [...this.#requests]) {
      this.#forget(id)
      request.reject(error)
    }
    for (const execution of [...this.#executions.values()]) execution.fail(error)
  }
}

function languageOptions(options: LanguageExtension & RequestOptions): RequestOptions {
  if (options.language === undefined) return options
  const language: Language = options.language
  return { ...options, metadata: { ...options.metadata, llmspell: { language } satisfies LanguageExtension } }
}

function historyContent(query: HistoryQuery): Record<string, unknown> {
  switch (query.access) {
    case 'tail':
      return { n: query.n, unique: query.unique ?? false }
    case 'search':
      return { pattern: query.pattern, n: query.n ?? 100, unique: query.unique ?? false }
    case 'range':
      return { session: query.session, start: query.start, stop: query.stop }
  }
}

/** Without the keys whose value is undefined. */
function present<T extends object>(value: { [K in keyof T]: T[K] | undefined }): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as Partial<T>
}
