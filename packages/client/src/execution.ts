import { AsyncQueue, type Deferred, deferred, LlmspellError } from '@llmspell/base'
import { type ContentOf, type InputRequest, isMessage, type Message } from '@llmspell/jupyter'
import { type Output, outputOf } from './output.ts'

export type ExecuteReply = ContentOf<'execute_reply'>

export interface ExecutionHandlers {
  /** Called for each output as it comes; without it, iterate over the execution. */
  onOutput?(output: Output): void
  /** Answers a script that reads a line; the signal aborts when the execution ends first. Absent: the kernel is told that there is no input. */
  onInput?(request: InputRequest, signal: AbortSignal): Promise<string>
  /** The kernel took the request off its queue. */
  onStart?(): void
}

/**
 * One execute_request on its way. Iterate over it for its outputs, or give `onOutput`; `done` settles when the reply and the
 * idle status have both come, hence after the last output, whichever the carrier delivers first.
 */
export class Execution implements AsyncIterable<Output> {
  /** Message id of the request: what an interrupt of only this execution names. */
  readonly id: string
  /** The reply alone; outputs may still be on their way. */
  readonly reply: Promise<ExecuteReply>
  /** The reply, after the last output. */
  readonly done: Promise<ExecuteReply>
  readonly #reply: Deferred<ExecuteReply> = deferred()
  readonly #done: Deferred<ExecuteReply> = deferred()
  readonly #handlers: ExecutionHandlers
  readonly #queue: AsyncQueue<Output> | undefined
  readonly #ended = new AbortController()
  #replied: ExecuteReply | undefined
  #idle = false
  #failure: LlmspellError | undefined

  constructor(id: string, handlers: ExecutionHandlers) {
    this.id = id
    this.#handlers = handlers
    this.#queue = handlers.onOutput ? undefined : new AsyncQueue()
    this.reply = this.#reply.promise
    this.done = this.#done.promise
    // Whoever looks only at one of the two must not be ended by the other's rejection.
    this.reply.catch(() => {})
    this.done.catch(() => {})
  }

  /** Aborted when the execution is over, however it ended. */
  get ended(): AbortSignal {
    return this.#ended.signal
  }

  /** The reply has come and the idle status has not. */
  get awaitsIdle(): boolean {
    return this.#replied !== undefined && !this.#ended.signal.aborted
  }

  async *[Symbol.asyncIterator](): AsyncIterator<Output> {
    if (!this.#queue) throw new LlmspellError('this execution gives its outputs to onOutput', { code: 'client.outputs_taken' })
    yield* this.#queue
    if (this.#failure) throw this.#failure
  }

  /** An IOPub message whose parent is this request. */
  published(message: Message): void {
    if (isMessage(message, 'status')) {
      if (message.content.execution_state === 'busy') this.#handlers.onStart?.()
      if (message.content.execution_state !== 'idle') return
      this.#idle = true
      this.#settle()
      return
    }
    const output = outputOf(message)
    if (!output) return
    if (this.#queue) this.#queue.push(output)
    else this.#handlers.onOutput?.(output)
  }

  replied(content: ExecuteReply): void {
    this.#replied = content
    this.#reply.resolve(content)
    this.#settle()
  }

  /** Resolves with the answer; `undefined` when nobody is there to give one. */
  input(request: InputRequest): Promise<string> | undefined {
    return this.#handlers.onInput?.(request, this.#ended.signal)
  }

  fail(error: LlmspellError): void {
    if (this.#ended.signal.aborted) return
    this.#failure = error
    this.#reply.reject(error)
    this.#done.reject(error)
    this.#end()
  }

  #settle(): void {
    // An aborted request was never run: some kernels publish no status for it.
    if (!this.#replied || !(this.#idle || this.#replied.status === 'aborted')) return
    this.#done.resolve(this.#replied)
    this.#end()
  }

  #end(): void {
    this.#queue?.close()
    this.#ended.abort()
  }
}
