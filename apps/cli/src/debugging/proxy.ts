import { createHash, timingSafeEqual } from 'node:crypto'
import { LlmspellError, messageOf } from '@llmspell/base'
import { adapterCapabilities, checkArguments, type Dap, describeError, type MessageStream, messageStream } from '@llmspell/dap'
import type { KernelDebugger } from './kernel-debugger.ts'

export interface ProxyOptions {
  editor: MessageStream
  /** Finds or starts a kernel. */
  open(kernel: string | undefined): Promise<KernelDebugger>
  /** What launch and attach must have as `token`; none for a carrier that only its owner can open. */
  token?: string
  /** For people, on stderr. */
  diagnose(text: string): void
  trace(direction: string, message: unknown): void
}

/** A kernel that answers within this time needs no progress. */
const PROGRESS_AFTER_MS = 500
/** How long the kernel may take to close the connection after it answered `disconnect`. */
const CLOSE_MS = 2_000
const WRONG_TOKENS = 3

/**
 * Between an editor and the debug session in a kernel. It answers `initialize` itself, because there is no kernel yet; launch or attach
 * says which one. From then on it passes messages on, numbered anew towards the editor, and speaks for a kernel that is gone.
 */
export class DapProxy {
  readonly #options: ProxyOptions
  readonly #done = Promise.withResolvers<void>()
  #seq = 0
  #initialize: Dap.Request | undefined
  #wrongTokens = 0
  /** Launch or attach, while a kernel is looked for; and what came meanwhile. */
  #opening: Dap.Request | undefined
  #waiting: Dap.Request[] = []
  #progressId: string | undefined
  #kernel: { stream: MessageStream; name: string } | undefined
  /** Requests of the editor that the kernel has not answered. */
  readonly #asked = new Map<number, Dap.Request>()
  /** Numbers of the kernel's own requests, by those the editor sees. */
  readonly #reverse = new Map<number, number>()
  #terminated = false
  /** The kernel has answered `disconnect`. */
  #disconnected = false
  /** Why there is no kernel any more. */
  #lost: string | undefined

  constructor(options: ProxyOptions) {
    this.#options = options
  }

  /** Until the editor leaves, or was told goodbye. Rejects for what is not the Debug Adapter Protocol. */
  async run(): Promise<void> {
    const { editor } = this.#options
    try {
      await Promise.race([editor.read((message) => this.#fromEditor(message)), this.#done.promise])
    } finally {
      this.#opening = undefined
      this.#kernel?.stream.close()
      editor.close()
    }
  }

  #fromEditor(message: unknown): Promise<void> | undefined {
    this.#options.trace('editor →', message)
    const { type, seq, command } = (message ?? {}) as Partial<Dap.Request>
    if (type !== 'request' || typeof seq !== 'number' || typeof command !== 'string') return this.#otherFromEditor(message)
    const request = message as Dap.Request
    if (this.#kernel) return this.#ask(request)
    const problem = checkArguments(command, request.arguments)
    if (problem !== undefined) this.#refuse(request, `${command}: ${problem}`)
    else if (command === 'initialize') this.#initialized(request)
    else if (command === 'disconnect' || command === 'terminate') this.#leave(request)
    else if (!this.#initialize) this.#refuse(request, `${command} came before initialize`)
    else if (this.#lost !== undefined) this.#refuse(request, this.#lost)
    else if (command === 'cancel') this.#cancel(request)
    else if (this.#opening) this.#waiting.push(request)
    else if (command === 'launch' || command === 'attach') void this.#open(request)
    else this.#refuse(request, `${command} came before launch or attach`)
    return undefined
  }

  /** Answers of the editor to the kernel's own requests. */
  #otherFromEditor(message: unknown): Promise<void> | undefined {
    const response = message as Dap.Response | null
    const asked = response?.type === 'response' ? this.#reverse.get(response.request_seq) : undefined
    if (asked === undefined || !this.#kernel) {
      this.#options.diagnose(`a message that is no request was passed over: ${JSON.stringify(message)?.slice(0, 200)}`)
      return undefined
    }
    this.#reverse.delete((response as Dap.Response).request_seq)
    return this.#toKernel({ ...(response as Dap.Response), request_seq: asked })
  }

  #initialized(request: Dap.Request): void {
    if (this.#initialize) return this.#refuse(request, 'initialize came twice')
    this.#initialize = request
    this.#answer(request, adapterCapabilities)
  }

  async #open(request: Dap.Request): Promise<void> {
    const { kernel, token, ...own } = (request.arguments ?? {}) as Record<string, unknown>
    if (!this.#isAllowed(token)) return this.#refuseToken(request)
    if (kernel !== undefined && kernel !== null && typeof kernel !== 'string')
      return this.#refuse(request, `${request.command}: arguments.kernel must be a string`)
    this.#opening = request
    const progress = setTimeout(() => this.#startProgress(request), PROGRESS_AFTER_MS)
    let opened: KernelDebugger | undefined
    try {
      opened = await this.#options.open(typeof kernel === 'string' && kernel !== '' ? kernel : undefined)
      if (this.#opening === request) await this.#connect(opened, { ...request, arguments: { ...own, token: opened.token } })
      else opened.stream.close() // Nobody waits for it any more.
    } catch (error) {
      if (this.#opening !== request) return
      this.#options.diagnose(messageOf(error))
      this.#refuse(request, error)
      this.#endOpening('launch or attach failed')
    } finally {
      clearTimeout(progress)
      this.#endProgress()
    }
  }

  /** The kernel's session hears what the editor said before there was a kernel. */
  async #connect(opened: KernelDebugger, request: Dap.Request): Promise<void> {
    const kernel = { stream: messageStream(opened.stream), name: opened.kernel }
    const replayed = Promise.withResolvers<void>()
    const initialize = this.#initialize as Dap.Request
    void kernel.stream
      .read((message) => {
        const { type, request_seq } = message as Partial<Dap.Response>
        if (this.#kernel === kernel) return this.#fromKernel(message)
        this.#options.trace('kernel →', message)
        if (type === 'response' && request_seq === initialize.seq) settleReplay(message as Dap.Response, replayed)
        return undefined
      })
      .then(
        () => 'the kernel closed the connection',
        (error: unknown) => messageOf(error),
      )
      .then((reason) => {
        replayed.reject(new LlmspellError(reason, { code: 'kernel.connect_failed' }))
        if (this.#kernel === kernel) this.#kernelGone(reason)
      })
    this.#options.trace('→ kernel', initialize)
    void kernel.stream.send(initialize)
    await replayed.promise
    if (!this.#opening) return kernel.stream.close()
    this.#kernel = kernel
    this.#opening = undefined
    for (const next of [request, ...this.#waiting.splice(0)]) void this.#ask(next)
  }

  #ask(request: Dap.Request): Promise<void> | undefined {
    this.#asked.set(request.seq, request)
    return this.#toKernel(request)
  }

  #toKernel(message: Dap.ProtocolMessage): Promise<void> | undefined {
    this.#options.trace('→ kernel', message)
    return this.#kernel?.stream.send(message)
  }

  #fromKernel(message: unknown): Promise<void> | undefined {
    this.#options.trace('kernel →', message)
    const known = message as Dap.ProtocolMessage
    if (known.type === 'request') this.#reverse.set(this.#seq + 1, known.seq)
    if (known.type === 'event' && known.event === 'terminated') {
      // A second one would send some editors round in circles.
      if (this.#terminated) return undefined
      this.#terminated = true
    }
    const sent = this.#send(known)
    if (known.type === 'response') {
      this.#asked.delete(known.request_seq)
      if (known.command === 'disconnect') {
        this.#disconnected = true
        setTimeout(() => this.#done.resolve(), CLOSE_MS).unref()
      }
    }
    return sent
  }

  /** In good order after `disconnect`; else the editor hears why, once. */
  #kernelGone(reason: string): void {
    if (this.#disconnected) return this.#done.resolve()
    const name = this.#kernel?.name
    this.#kernel?.stream.close()
    this.#kernel = undefined
    const left = [...this.#asked.values()]
    this.#asked.clear()
    this.#lost = `the debugger of the kernel "${name}" is gone: ${reason}`
    const expected = this.#terminated || left.some(({ command }) => command === 'disconnect' || command === 'terminate')
    if (!expected) {
      this.#options.diagnose(this.#lost)
      this.#event('output', { category: 'important', output: `llmspell: ${this.#lost}\n` })
    }
    if (!this.#terminated) this.#event('terminated')
    this.#terminated = true
    for (const request of left) this.#goodbye(request, this.#lost)
  }

  #goodbye(request: Dap.Request, reason: string): void {
    if (request.command === 'disconnect' || request.command === 'terminate') this.#leave(request)
    else this.#refuse(request, reason)
  }

  /** There is no kernel to ask. */
  #leave(request: Dap.Request): void {
    const opening = this.#opening
    if (opening) {
      this.#opening = undefined
      this.#respond(opening, { success: false, message: 'cancelled' })
    }
    this.#endOpening('the editor disconnects')
    this.#answer(request)
    if (request.command === 'disconnect') this.#done.resolve()
  }

  #cancel(request: Dap.Request): void {
    const { requestId, progressId } = (request.arguments ?? {}) as Dap.CancelArguments
    const opening = this.#opening
    if (opening && (opening.seq === requestId || (progressId !== undefined && progressId === this.#progressId))) {
      this.#opening = undefined
      this.#respond(opening, { success: false, message: 'cancelled' })
      this.#endOpening('launch or attach was cancelled')
      this.#endProgress()
    }
    this.#answer(request)
  }

  #endOpening(reason: string): void {
    this.#opening = undefined
    for (const request of this.#waiting.splice(0)) this.#goodbye(request, reason)
  }

  #startProgress(request: Dap.Request): void {
    const { supportsProgressReporting } = (this.#initialize?.arguments ?? {}) as Dap.InitializeRequestArguments
    if (!supportsProgressReporting || this.#opening !== request) return
    this.#progressId = `open-${request.seq}`
    this.#event('progressStart', {
      progressId: this.#progressId,
      title: 'llmspell',
      message: 'waiting for the kernel to start',
      requestId: request.seq,
      cancellable: true,
    })
  }

  #endProgress(): void {
    if (this.#progressId !== undefined) this.#event('progressEnd', { progressId: this.#progressId })
    this.#progressId = undefined
  }

  #isAllowed(token: unknown): boolean {
    const wanted = this.#options.token
    if (wanted === undefined) return true
    return typeof token === 'string' && timingSafeEqual(digest(token), digest(wanted))
  }

  #refuseToken(request: Dap.Request): void {
    const last = ++this.#wrongTokens >= WRONG_TOKENS
    this.#refuse(
      request,
      new LlmspellError(`${request.command}: the token is missing or wrong`, {
        code: 'dap.bad_token',
        hint: `Give the "token" that \`llmspell dap --listen\` told at its start, in the arguments of ${request.command}.`,
      }),
    )
    if (last) this.#done.resolve()
  }

  #event<E extends Dap.EventName>(event: E, body?: Dap.Events[E]): void {
    void this.#send({ seq: 0, type: 'event', event, ...(body !== undefined && { body }) })
  }

  #answer(request: Dap.Request, body?: unknown): void {
    this.#respond(request, { success: true, ...(body !== undefined && { body }) })
  }

  #refuse(request: Dap.Request, reason: unknown): void {
    const { message, error } = describeError(typeof reason === 'string' ? new Error(reason) : reason)
    this.#respond(request, { success: false, message, body: { error } })
  }

  #respond({ seq, command }: Dap.Request, answer: Pick<Dap.Response, 'success' | 'message' | 'body'>): void {
    void this.#send({ seq: 0, type: 'response', request_seq: seq, command, ...answer })
  }

  #send(message: Dap.ProtocolMessage): Promise<void> | undefined {
    const numbered = { ...message, seq: ++this.#seq }
    this.#options.trace('→ editor', numbered)
    return this.#options.editor.send(numbered)
  }
}

function settleReplay(response: Dap.Response, replayed: PromiseWithResolvers<void>): void {
  if (response.success) return replayed.resolve()
  replayed.reject(new LlmspellError(response.message ?? 'the kernel refused initialize', { code: 'kernel.request_failed' }))
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
