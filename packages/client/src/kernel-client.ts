import { type Clock, type Disposable, LlmspellError, messageOf, systemClock } from '@llmspell/base'
import {
  type ClientTransport,
  type ContentOf,
  type KernelInfoOk,
  type KernelStatusReply,
  type LanguageExtension,
  type Message,
  type MimeBundle,
  type RequestType,
  Session,
  type ShutdownExtension,
  type StartDebugServerReply,
  type StartDebugServerRequest,
  toCodePointOffset,
  toUtf16Offset,
  type UsageReply,
  type VariablesReply,
} from '@llmspell/jupyter'
import { Conversation, type ExecuteOptions, type OkOf, type RequestOptions } from './conversation.ts'
import type { Execution } from './execution.ts'
import { Liveness } from './liveness.ts'
import { extension, present } from './metadata.ts'
import type { Output } from './output.ts'

export interface KernelClientOptions {
  /** Not yet open; the client opens it in `connect` and closes it in `close`. */
  transport: ClientTransport
  /** Default: a new one. */
  session?: string
  username?: string
  /** False when the kernel's process is known to be gone; asked several times a second while something waits. Must be cheap. */
  isProcessAlive?: () => boolean
  /** What is known of a death when it is found: becomes the hint of `kernel.died`. */
  deathHint?(): Promise<string>
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

export interface CompleteResult {
  matches: string[]
  /** UTF-16 offsets into the code that was asked about. */
  start: number
  end: number
  metadata: Record<string, unknown>
}

export interface InspectResult {
  found: boolean
  data: MimeBundle
}

export interface IsCompleteResult {
  status: 'complete' | 'incomplete' | 'invalid' | 'unknown'
  /** What the next line should start with, for `incomplete`. */
  indent: string
}

export type HistoryQuery =
  | { access: 'tail'; n: number; unique?: boolean }
  | { access: 'search'; pattern: string; n?: number; unique?: boolean }
  | { access: 'range'; session: number; start: number; stop: number }

export interface HistoryItem {
  session: number
  line: number
  source: string
}

/** How often and at what distance in milliseconds a process is looked at that closed its connection. */
const DYING_LOOKS = 25
const DYING_LOOK_MS = 20

/**
 * One client of one kernel, over any carrier. Replies find their requests by parent header, so any number may be under way.
 * Everything that waits ends: with an answer, with a named time-out, or with `kernel.died`, `kernel.unresponsive` or
 * `client.closed`.
 */
export class KernelClient {
  readonly #options: KernelClientOptions
  readonly #transport: ClientTransport
  readonly #clock: Clock
  readonly #session: Session
  readonly #conversation: Conversation
  readonly #liveness: Liveness
  /** Ends `connect` early when the process dies under it. */
  #whenGone: ((error: LlmspellError) => void) | undefined

  private constructor(options: KernelClientOptions) {
    this.#options = options
    this.#transport = options.transport
    this.#clock = options.clock ?? systemClock
    this.#session = new Session({ username: 'llmspell', ...present({ id: options.session, username: options.username }) })
    this.#liveness = new Liveness({
      ping: (timeoutMs) => this.#transport.ping(timeoutMs),
      isProcessAlive: options.isProcessAlive,
      clock: this.#clock,
      onDead: (error) => void this.#died(error),
      onUnresponsive: (unresponsive) => options.onUnresponsive?.(unresponsive),
    })
    this.#conversation = new Conversation({
      session: this.#session,
      clock: this.#clock,
      requestTimeoutMs: options.requestTimeoutMs ?? 30_000,
      idleTimeoutMs: options.idleTimeoutMs ?? 30_000,
      send: (channel, message) => this.#transport.send(channel, message),
      onWaiting: (waiting) => (waiting ? this.#liveness.start() : this.#liveness.stop()),
    })
  }

  /** Opens the transport; resolves when the IOPub subscription stands. Code `kernel.connect_failed` when that fails or takes too long. */
  static async connect(options: KernelClientOptions): Promise<KernelClient> {
    const client = new KernelClient(options)
    await client.#open(options.connectTimeoutMs ?? 10_000)
    return client
  }

  async #open(timeoutMs: number): Promise<void> {
    this.#transport.onMessage((message) => this.#conversation.receive(message))
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
      this.#liveness.stop()
    }
    void this.#transport.closed.then((reason) => void this.#disconnected(reason))
  }

  /** Jupyter session id of this client. */
  get session(): string {
    return this.#session.id
  }

  /** Set once the kernel is known to be gone, or the client was closed; nothing can be asked any more. */
  get gone(): LlmspellError | undefined {
    return this.#conversation.ended
  }

  /** Output that this client's executions cause after they have ended: callbacks, timers. What other clients cause is not told. */
  onLateOutput(listener: (output: Output) => void): Disposable {
    return this.#conversation.onLateOutput(listener)
  }

  /** Every message in either direction, as a trace shows it. */
  onTraffic(listener: (direction: 'in' | 'out', message: Message) => void): Disposable {
    return this.#conversation.onTraffic(listener)
  }

  /** Every message that arrives, also those other clients caused. */
  onMessage(listener: (message: Message) => void): Disposable {
    return this.#conversation.onMessage(listener)
  }

  execute(code: string, options: ExecuteOptions = {}): Execution {
    return this.#conversation.execute(code, options)
  }

  /** Any request that has one reply. A reply that tells of an error rejects with code `kernel.request_failed`. */
  request<T extends RequestType>(type: T, content: ContentOf<T>, options: RequestOptions = {}): Promise<OkOf<T>> {
    return this.#conversation.request(type, content, options)
  }

  /** Offsets are UTF-16, as JavaScript counts. */
  async complete(code: string, cursor: number, options: LanguageExtension & RequestOptions = {}): Promise<CompleteResult> {
    const reply = await this.request('complete_request', { code, cursor_pos: toCodePointOffset(code, cursor) }, withLanguage(options))
    return {
      matches: reply.matches,
      start: toUtf16Offset(code, reply.cursor_start),
      end: toUtf16Offset(code, reply.cursor_end),
      metadata: reply.metadata,
    }
  }

  async inspect(
    code: string,
    cursor: number,
    options: LanguageExtension & RequestOptions & { detail?: 0 | 1 } = {},
  ): Promise<InspectResult> {
    const { found, data } = await this.request(
      'inspect_request',
      { code, cursor_pos: toCodePointOffset(code, cursor), detail_level: options.detail ?? 0 },
      withLanguage(options),
    )
    return { found, data }
  }

  async isComplete(code: string, options: LanguageExtension & RequestOptions = {}): Promise<IsCompleteResult> {
    const { status, indent } = await this.request('is_complete_request', { code }, withLanguage(options))
    return { status, indent: indent ?? '' }
  }

  async history(query: HistoryQuery, options: RequestOptions = {}): Promise<HistoryItem[]> {
    const { access, ...rest } = query
    const content = { output: false, raw: true, unique: false, hist_access_type: access, ...rest }
    const { history } = await this.request('history_request', content, options)
    return history.map(([session, line, source]) => ({ session, line, source: typeof source === 'string' ? source : source[0] }))
  }

  /** On control by default, where it is answered while a cell runs; kernels before protocol 5.5 know it on shell only. */
  kernelInfo(options: RequestOptions & { channel?: 'shell' | 'control' } = {}): Promise<KernelInfoOk> {
    return this.request('kernel_info_request', {}, { channel: 'control', ...options })
  }

  /**
   * Interrupts what runs in the shared namespace, or only the execution named. Resolves when it has stopped, with whether
   * anything ran; `undefined` from kernels that do not tell.
   */
  async interrupt(options: { execution?: string } & RequestOptions = {}): Promise<boolean | undefined> {
    const reply = await this.request('interrupt_request', {}, withExtension(options, { execution: options.execution }))
    return (reply as { llmspell?: { interrupted?: boolean } }).llmspell?.interrupted
  }

  /**
   * `stop` ends a kernel this client does not own; without it such a kernel only lets go of the client (`detached`).
   * `restart` gives fresh namespaces; `inPlace` makes sure that the process stays.
   */
  async shutdown(options: ShutdownExtension & { restart?: boolean } & RequestOptions = {}): Promise<{ detached: boolean }> {
    const reply = await this.request(
      'shutdown_request',
      { restart: options.restart ?? false },
      withExtension<ShutdownExtension>(options, { stop: options.stop, inPlace: options.inPlace }),
    )
    return { detached: (reply as { llmspell?: { detached?: boolean } }).llmspell?.detached === true }
  }

  /** llmspell kernels only. */
  status(options: RequestOptions = {}): Promise<KernelStatusReply> {
    return this.request('kernel_status_request', {}, options)
  }

  /** llmspell kernels only. */
  async variables(options: LanguageExtension & RequestOptions = {}): Promise<VariablesReply['variables']> {
    return (await this.request('variables_request', {}, withLanguage(options))).variables
  }

  /** Lets debuggers connect; asked again it answers with what stands. llmspell kernels only. */
  startDebugServer(options: StartDebugServerRequest & RequestOptions = {}): Promise<StartDebugServerReply> {
    const { transport, port, ...rest } = options
    return this.request('start_debug_server_request', present({ transport, port }), rest)
  }

  /** Debuggers that are connected leave. False: none could connect. llmspell kernels only. */
  async stopDebugServer(options: RequestOptions = {}): Promise<boolean> {
    return (await this.request('stop_debug_server_request', {}, options)).stopped
  }

  usage(options: RequestOptions = {}): Promise<UsageReply> {
    return this.request('usage_request', {}, options) as Promise<UsageReply>
  }

  ping(timeoutMs: number): Promise<number> {
    return this.#transport.ping(timeoutMs)
  }

  /** Ends everything under way with code `client.closed` and closes the transport; the kernel goes on. Idempotent. */
  async close(): Promise<void> {
    this.#end(new LlmspellError('the client was closed', { code: 'client.closed' }))
    await this.#transport.close()
  }

  /** A carrier that breaks is most often the first sign of a death, a moment before the process is gone. */
  async #disconnected(reason: Error | undefined): Promise<void> {
    if (this.gone) return
    const { isProcessAlive } = this.#options
    for (let looks = 0; looks < DYING_LOOKS && isProcessAlive?.(); looks++) {
      await new Promise<void>((resolve) => this.#clock.setTimeout(resolve, DYING_LOOK_MS))
    }
    const died = isProcessAlive?.() === false
    const how = reason === undefined ? 'was closed' : `broke: ${messageOf(reason)}`
    await this.#died(
      new LlmspellError(died ? 'the kernel died' : `the connection to the kernel ${how}`, {
        code: 'kernel.died',
        data: { reason: died ? 'process_gone' : 'transport_closed' },
        cause: reason,
      }),
    )
  }

  async #died(error: LlmspellError): Promise<void> {
    const { code, data, cause } = error
    // A hint that cannot be had must not keep anybody waiting for the dead.
    const hint = code === 'kernel.died' ? await this.#options.deathHint?.().catch(() => undefined) : error.hint
    this.#end(new LlmspellError(error.message, { code, data, cause, ...(hint === undefined ? {} : { hint }) }))
  }

  #end(error: LlmspellError): void {
    this.#conversation.end(error)
    this.#liveness.stop()
    this.#whenGone?.(error)
  }
}

function withLanguage(options: LanguageExtension & RequestOptions): RequestOptions {
  return withExtension<LanguageExtension>(options, { language: options.language })
}

function withExtension<T extends object>(options: RequestOptions, values: { [K in keyof T]: T[K] | undefined }): RequestOptions {
  return { ...options, metadata: { ...options.metadata, ...extension<T>(values) } }
}
