import { type Disposable, Emitter, LlmspellError, messageOf } from '@llmspell/base'
import { checkArguments, isKnownCommand } from './check-arguments.ts'
import type * as Dap from './protocol.ts'

export interface RequestContext {
  readonly request: Dap.Request
  /** Aborts when the other side cancels this request, or when the endpoint closes. */
  readonly signal: AbortSignal
  /**
   * Runs right after this request was answered with success: for events that may only follow that, such as `initialized`. Also when it
   * succeeds although it was cancelled.
   */
  afterResponse(run: () => void): void
  /**
   * Runs once its handler is done, however that ended, and after the response: for what must be given back. Also when the endpoint was closed
   * meanwhile.
   */
  afterHandling(run: () => void): void
}

/** What is done for each command: resolves with the response's body. What it throws becomes an error response. */
export type Handlers = {
  readonly [C in Dap.AnyCommand]?: (
    args: Dap.ArgumentsOf<C>,
    context: RequestContext,
  ) => Answer<Dap.BodyOf<C>> | Promise<Answer<Dap.BodyOf<C>>>
}

// biome-ignore lint/suspicious/noConfusingVoidType: a response without a body comes from a function without a result.
type Answer<B> = undefined extends B ? B | void : B

/** An error as a response says it. */
export interface ErrorAnswer {
  /** In short: one of the protocol's words, or the text. */
  message: Dap.Open<'cancelled' | 'notStopped'>
  error?: Dap.Message
}

export interface EndpointOptions {
  send(message: Dap.ProtocolMessage): void
  handlers?: Handlers
  /** Commands that are not of the protocol, such as an adapter's own. `undefined` as a function: unknown. */
  handleUnknown?(command: string): ((args: unknown, context: RequestContext) => unknown) | undefined
  describeError?(thrown: unknown, request: Dap.Request): ErrorAnswer
  /** The other side cancels a progress that was started with a `progressStart` event. */
  onCancelProgress?(progressId: string): void
  /** Something that came cannot be answered: no message, an answer nobody waits for. */
  onProblem?(problem: LlmspellError): void
}

export interface RequestOptions {
  /** Aborting sends `cancel` for the request (if `cancels` is true) and rejects at once. */
  signal?: AbortSignal
  /** Whether the other side understands `cancel`. Default: false. */
  cancels?: boolean
}

interface Pending {
  command: string
  resolve(body: unknown): void
  reject(error: unknown): void
}

interface Running {
  readonly aborter: AbortController
  /** Answers it as cancelled. */
  cancel(): void
}

/**
 * One side of a debugging conversation, without I/O: numbers what it sends, answers every request exactly once, and gives the answers
 * to what it asked. A debug adapter and its client are the same thing here; they differ in what they handle and what they ask.
 */
export class Endpoint {
  readonly #options: EndpointOptions
  readonly #events = new Emitter<Dap.Event>()
  /** What was asked of the other side, and not yet answered. */
  readonly #asked = new Map<number, Pending>()
  /** What the other side asked, and is not yet answered. */
  readonly #running = new Map<number, Running>()
  #seq = 0
  #closed: LlmspellError | undefined

  constructor(options: EndpointOptions) {
    this.#options = options
  }

  /** Why it is closed; `undefined` while it is open. */
  get closed(): LlmspellError | undefined {
    return this.#closed
  }

  /** Events of the other side, known or not. */
  onEvent(listener: (event: Dap.Event) => void): Disposable {
    return this.#events.on(listener)
  }

  /** Events of one kind. */
  on<E extends Dap.EventName>(name: E, listener: (body: Dap.Events[E]) => void): Disposable {
    return this.#events.on((event) => {
      if (event.event === name) listener(event.body as Dap.Events[E])
    })
  }

  event<E extends Dap.EventName>(name: E, ...body: undefined extends Dap.Events[E] ? [body?: Dap.Events[E]] : [body: Dap.Events[E]]): void {
    if (this.#closed) return
    const event: Dap.Event = { seq: this.#next(), type: 'event', event: name }
    if (body[0] !== undefined) event.body = body[0]
    this.#options.send(event)
  }

  /** Rejects with code `dap.request_failed` when the answer is an error, `dap.cancelled`, or `dap.closed`. */
  request<C extends Dap.AnyCommand>(
    command: C,
    ...[args, options]: undefined extends Dap.ArgumentsOf<C>
      ? [args?: Dap.ArgumentsOf<C>, options?: RequestOptions]
      : [args: Dap.ArgumentsOf<C>, options?: RequestOptions]
  ): Promise<Dap.BodyOf<C>> {
    return this.requestUntyped(command, args, options) as Promise<Dap.BodyOf<C>>
  }

  /** A command that the protocol does not know. */
  requestUntyped(command: string, args?: unknown, { signal, cancels = false }: RequestOptions = {}): Promise<unknown> {
    if (this.#closed) return Promise.reject(this.#closed)
    if (signal?.aborted) return Promise.reject(cancelled(command, signal.reason))
    const seq = this.#next()
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.#asked.delete(seq)
        if (cancels) void this.request('cancel', { requestId: seq }).catch(() => {})
        reject(cancelled(command, signal?.reason))
      }
      const settle =
        <T>(end: (value: T) => void) =>
        (value: T): void => {
          signal?.removeEventListener('abort', onAbort)
          end(value)
        }
      // Before it is sent: the answer may come before `send` returns.
      this.#asked.set(seq, { command, resolve: settle(resolve), reject: settle(reject) })
      signal?.addEventListener('abort', onAbort, { once: true })
      try {
        this.#options.send({ seq, type: 'request', command, ...(args === undefined ? {} : { arguments: args }) })
      } catch (error) {
        this.#asked.delete(seq)
        throw error // Arguments that are no JSON.
      }
    })
  }

  /** Takes one message that came, whatever it is. */
  receive(message: unknown): void {
    if (this.#closed) return
    if (isRequest(message)) this.#answer(message)
    else if (isResponse(message)) this.#settle(message)
    else if (isEvent(message)) this.#events.emit(message)
    else this.#problem(`this is no message of the Debug Adapter Protocol: ${JSON.stringify(message)?.slice(0, 100)}`)
  }

  /** What waits for an answer fails with this reason, running requests are aborted, and nothing is sent any more. */
  close(reason = 'the connection is closed'): void {
    if (this.#closed) return
    const closed = new LlmspellError(reason, { code: 'dap.closed' })
    this.#closed = closed
    for (const { command, reject } of this.#asked.values())
      reject(new LlmspellError(`${command} was not answered: ${reason}`, { code: 'dap.closed', data: { command } }))
    this.#asked.clear()
    for (const { aborter } of this.#running.values()) aborter.abort(closed)
    this.#running.clear()
  }

  #next(): number {
    return ++this.#seq
  }

  #answer(request: Dap.Request): void {
    const { command, seq } = request
    const aborter = new AbortController()
    const running: Running = { aborter, cancel: () => fail(undefined) }
    const after: (() => void)[] = []
    const always: (() => void)[] = []
    let answered = false
    const respond = (answer: Pick<Dap.Response, 'success' | 'message' | 'body'>): void => {
      if (this.#running.get(seq) === running) this.#running.delete(seq)
      if (answered) return
      answered = true
      if (!this.#closed) this.#options.send({ seq: this.#next(), type: 'response', request_seq: seq, command, ...answer })
    }
    const fail = (thrown: unknown): void => {
      const { message, error } = aborter.signal.aborted ? CANCELLED : (this.#options.describeError ?? describeError)(thrown, request)
      respond({ success: false, message, ...(error && { body: { error } }) })
    }
    const failed = (thrown: unknown): void => {
      fail(thrown)
      for (const run of always) run()
    }
    const succeed = (body: unknown): void => {
      try {
        respond(body === undefined ? { success: true } : { success: true, body })
      } catch (error) {
        answered = false
        return failed(error) // A body that is no JSON.
      }
      if (!this.#closed) for (const run of after) run()
      for (const run of always) run()
    }
    try {
      const handle = this.#handlerOf(command)
      const problem = checkArguments(command, request.arguments)
      if (problem !== undefined) throw new LlmspellError(`${command}: ${problem}`, { code: 'dap.bad_arguments', data: { command } })
      this.#running.set(seq, running)
      const body = handle(request.arguments, {
        request,
        signal: aborter.signal,
        afterResponse: (run) => after.push(run),
        afterHandling: (run) => always.push(run),
      })
      if (isPromise(body)) void body.then(succeed, failed)
      else succeed(body)
    } catch (error) {
      failed(error)
    }
  }

  #handlerOf(command: string): (args: unknown, context: RequestContext) => unknown {
    const { handlers } = this.#options
    if (handlers && Object.hasOwn(handlers, command)) {
      const own = handlers[command as Dap.AnyCommand] as ((args: unknown, context: RequestContext) => unknown) | undefined
      if (own) return own
    }
    if (command === 'cancel') return (args) => this.#cancel((args ?? {}) as Dap.CancelArguments)
    const other = this.#options.handleUnknown?.(command)
    if (other) return other
    throw new LlmspellError(isKnownCommand(command) ? `"${command}" is not supported` : `unknown command "${command.slice(0, 100)}"`, {
      code: 'dap.unknown_command',
      data: { command },
    })
  }

  /** The cancelled request is answered at once, whatever its handler does; one that is answered already is none of anyone's business. */
  #cancel({ requestId, progressId }: Dap.CancelArguments): undefined {
    const running = requestId === undefined ? undefined : this.#running.get(requestId)
    running?.aborter.abort(new LlmspellError('cancelled', { code: 'dap.cancelled' }))
    running?.cancel()
    if (progressId !== undefined) this.#options.onCancelProgress?.(progressId)
  }

  #settle(response: Dap.Response): void {
    const pending = this.#asked.get(response.request_seq)
    if (!pending) return this.#problem(`an answer to request ${response.request_seq} ("${response.command}"), which nobody waits for`)
    this.#asked.delete(response.request_seq)
    if (response.success) pending.resolve(response.body)
    else pending.reject(requestFailed(pending.command, response))
  }

  #problem(message: string): void {
    this.#options.onProblem?.(new LlmspellError(message, { code: 'dap.bad_message' }))
  }
}

const CANCELLED: ErrorAnswer = { message: 'cancelled' }

/** An error in words, its hint behind it. */
export function describeError(thrown: unknown): ErrorAnswer {
  const message = messageOf(thrown)
  const hint = LlmspellError.is(thrown) ? thrown.hint : undefined
  return { message, error: { id: 1, format: hint === undefined ? message : `${message}\n${hint}`, showUser: true } }
}

function cancelled(command: string, cause: unknown): LlmspellError {
  return new LlmspellError(`${command} was cancelled`, { code: 'dap.cancelled', data: { command }, cause })
}

function requestFailed(command: string, response: Dap.Response): LlmspellError {
  const error = (response.body as Dap.ErrorResponseBody | null | undefined)?.error
  const text = error?.format?.replaceAll(/\{([^{}]+)\}/g, (whole, name: string) => error.variables?.[name] ?? whole)
  const message = text ?? response.message ?? `${command} failed`
  if (response.message === 'cancelled') return cancelled(command, message)
  return new LlmspellError(message, { code: 'dap.request_failed', data: { command, reason: response.message, error } })
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof (value as { then?: unknown } | null | undefined)?.then === 'function'
}

function isRequest(message: unknown): message is Dap.Request {
  const { type, seq, command } = fields(message)
  return type === 'request' && typeof seq === 'number' && typeof command === 'string'
}

function isResponse(message: unknown): message is Dap.Response {
  const { type, request_seq, success: succeeded } = fields(message)
  return type === 'response' && typeof request_seq === 'number' && typeof succeeded === 'boolean'
}

function isEvent(message: unknown): message is Dap.Event {
  const { type, event } = fields(message)
  return type === 'event' && typeof event === 'string'
}

function fields(message: unknown): Record<string, unknown> {
  return typeof message === 'object' && message !== null ? (message as Record<string, unknown>) : {}
}
