import { type Disposable, LlmspellError, messageOf, withTimeout } from '@llmspell/base'
import { type ByteStream, type MessageStream, messageStream } from './byte-stream.ts'
import type { DecoderOptions } from './content-length.ts'
import { Endpoint, type Handlers, type RequestOptions } from './endpoint.ts'
import type * as Dap from './protocol.ts'

export interface ClientOptions extends DecoderOptions {
  /** What the adapter may ask of its client: `runInTerminal`, `startDebugging`. */
  handlers?: Handlers
  /** Each message, before it is sent and as it came. */
  onMessage?(direction: 'sent' | 'received', message: unknown): void
  /** What came and cannot be answered. */
  onProblem?(problem: LlmspellError): void
  /** How many events of one kind are kept for a wait that begins later. Default: 1000. */
  keepEvents?: number
}

export interface WaitOptions<E extends Dap.EventName> {
  /** Milliseconds. Default: 10 000. */
  timeoutMs?: number
  where?(body: Dap.Events[E]): boolean
}

const WAIT_MS = 10_000
const KEPT_EVENTS = 1_000

interface Waiting {
  name: string
  where(body: unknown): boolean
  resolve(body: unknown): void
  reject(reason: unknown): void
}

/** The client of a debug adapter, over any stream of bytes: for debuggers, editors and tests. */
export class DapClient {
  /** Resolves when the connection has ended, with the reason unless this side closed it. */
  readonly ended: Promise<LlmspellError | undefined>
  readonly #endpoint: Endpoint
  readonly #stream: MessageStream
  /** Events that no wait has taken, by name, oldest first. */
  readonly #kept = new Map<string, unknown[]>()
  readonly #waiting = new Set<Waiting>()
  readonly #keepEvents: number
  #capabilities: Dap.Capabilities = {}

  constructor(stream: ByteStream, options: ClientOptions = {}) {
    const { handlers, onMessage, onProblem } = options
    this.#keepEvents = options.keepEvents ?? KEPT_EVENTS
    this.#stream = messageStream(stream, options)
    this.#endpoint = new Endpoint({
      send: (message) => {
        onMessage?.('sent', message)
        void this.#stream.send(message)
      },
      ...(handlers && { handlers }),
      ...(onProblem && { onProblem }),
    })
    this.#endpoint.onEvent((event) => this.#keep(event))
    this.ended = this.#stream
      .read((message) => {
        onMessage?.('received', message)
        this.#endpoint.receive(message)
      })
      .then(
        () => this.#end('the debug adapter closed the connection'),
        (error: unknown) => this.#end(messageOf(error)),
      )
  }

  /** What the adapter said it can, in `initialize` and since. */
  get capabilities(): Dap.Capabilities {
    return this.#capabilities
  }

  /** Rejects with code `dap.request_failed` and the adapter's own words when it refuses, `dap.cancelled`, or `dap.closed`. */
  async request<C extends Dap.Command>(
    command: C,
    ...[args, options]: undefined extends Dap.ArgumentsOf<C>
      ? [args?: Dap.ArgumentsOf<C>, options?: RequestOptions]
      : [args: Dap.ArgumentsOf<C>, options?: RequestOptions]
  ): Promise<Dap.BodyOf<C>> {
    const cancels = this.#capabilities.supportsCancelRequest === true
    const body = await this.#endpoint.requestUntyped(command, args, { cancels, ...options })
    if (command === 'initialize') this.#capabilities = { ...(body as Dap.Capabilities | undefined) }
    return body as Dap.BodyOf<C>
  }

  on<E extends Dap.EventName>(name: E, listener: (body: Dap.Events[E]) => void): Disposable {
    return this.#endpoint.on(name, listener)
  }

  /** Events of any kind. */
  onEvent(listener: (event: Dap.Event) => void): Disposable {
    return this.#endpoint.onEvent(listener)
  }

  /**
   * The oldest event of this kind that no earlier wait has got, also one that came before: nothing is missed between a request and its
   * wait. Rejects with code `timeout` or `dap.closed`, and says what it waited for.
   */
  waitFor<E extends Dap.EventName>(name: E, { timeoutMs = WAIT_MS, where }: WaitOptions<E> = {}): Promise<Dap.Events[E]> {
    const fits = (body: unknown): boolean => where === undefined || where(body as Dap.Events[E])
    const kept = this.#kept.get(name) ?? []
    const index = kept.findIndex(fits)
    if (index >= 0) return Promise.resolve(kept.splice(index, 1)[0] as Dap.Events[E])
    if (this.#endpoint.closed) return Promise.reject(noEvent(name, this.#endpoint.closed.message))
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const waiting: Waiting = { name, where: fits, resolve, reject }
    this.#waiting.add(waiting)
    return withTimeout(promise as Promise<Dap.Events[E]>, timeoutMs, `the event "${name}"`).finally(() => this.#waiting.delete(waiting))
  }

  /** Ends the connection; what waits fails. To end the debugging in good order, request `disconnect` before. */
  close(): void {
    this.#close('the client closed the connection')
  }

  #keep(event: Dap.Event): void {
    if (event.event === 'capabilities')
      this.#capabilities = { ...this.#capabilities, ...(event.body as Dap.CapabilitiesEventBody | undefined)?.capabilities }
    for (const waiting of this.#waiting) {
      if (waiting.name !== event.event || !waiting.where(event.body)) continue
      this.#waiting.delete(waiting)
      waiting.resolve(event.body)
      return
    }
    const kept = this.#kept.get(event.event) ?? []
    this.#kept.set(event.event, kept)
    kept.push(event.body)
    if (kept.length > this.#keepEvents) kept.shift()
  }

  #end(reason: string): LlmspellError | undefined {
    if (this.#endpoint.closed) return undefined
    this.#close(reason)
    return this.#endpoint.closed
  }

  #close(reason: string): void {
    this.#endpoint.close(reason)
    this.#stream.close()
    for (const waiting of this.#waiting) waiting.reject(noEvent(waiting.name, reason))
    this.#waiting.clear()
  }
}

function noEvent(name: string, reason: string): LlmspellError {
  return new LlmspellError(`the event "${name}" did not come: ${reason}`, { code: 'dap.closed', data: { event: name } })
}
