import { type Clock, LlmspellError, type Logger } from '@llmspell/base'
import type { IncomingMessage, KernelTransport, Message, Peer, Session } from '@llmspell/jupyter'
import { parseContent } from '@llmspell/jupyter/validation'
import type { Execution } from './execution.ts'
import type { Origin } from './origins.ts'

/** Kept by the msg_id of its input_request. */
interface Prompt {
  peer: Peer
  session: string
  /** Monotonic time of the question. */
  askedAt: number
  resolve(line: string | undefined): void
  reject(reason: unknown): void
}

/** Milliseconds in which a client that connects its stdin late is still found. */
const ARRIVAL = 3000
const RETRY = 100

/** How consoles tell the end of input. */
const END_OF_INPUT = '\u0004'

/** Questions of running scripts to the client whose request they run for, and to nobody else. */
export class InputPrompts {
  readonly #transport: KernelTransport
  readonly #session: Session
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #open = new Map<string, Prompt>()

  constructor(transport: KernelTransport, session: Session, clock: Clock, logger: Logger) {
    this.#transport = transport
    this.#session = session
    this.#clock = clock
    this.#logger = logger
  }

  /** The line typed, or `undefined` at end of input. Rejects when the client takes no input, is gone, or a signal aborts. */
  async ask(origin: Origin | undefined, prompt: string, password: boolean, signal: AbortSignal): Promise<string | undefined> {
    const execution = origin?.execution
    if (!origin || !execution?.request.allow_stdin) throw notAllowed(execution)
    signal.throwIfAborted()
    execution.signal.throwIfAborted()
    origin.stream.flush()
    const message = this.#session.create('input_request', { prompt, password }, { parent: execution.envelope.message })
    const id = message.header.msg_id
    const { promise, resolve, reject } = Promise.withResolvers<string | undefined>()
    const onAbort = (): void => reject(signal.aborted ? signal.reason : execution.signal.reason)
    signal.addEventListener('abort', onAbort, { once: true })
    execution.signal.addEventListener('abort', onAbort, { once: true })
    this.#open.set(id, { peer: origin.peer, session: execution.session, askedAt: this.#clock.monotonic(), resolve, reject })
    try {
      this.#transport.send('stdin', origin.peer, message)
      return await promise
    } finally {
      this.#open.delete(id)
      signal.removeEventListener('abort', onAbort)
      execution.signal.removeEventListener('abort', onAbort)
    }
  }

  receive(incoming: IncomingMessage): void {
    const { message } = incoming
    if (message.header.msg_type !== 'input_reply') {
      this.#logger.log('warn', `dropped ${message.header.msg_type} on stdin: only input_reply belongs there`)
      return
    }
    const prompt = this.#answered(message)
    if (!prompt) {
      this.#logger.log('debug', 'dropped an input_reply: nothing waits for it')
      return
    }
    try {
      const { value } = parseContent('input_reply', message.content)
      prompt.resolve(value === END_OF_INPUT ? undefined : value)
    } catch (error) {
      prompt.reject(error)
    }
  }

  /** The question found nobody: the client has left, or its stdin does not stand yet. */
  undeliverable(message: Message<object>): void {
    const id = message.header.msg_id
    const prompt = this.#open.get(id)
    if (!prompt) return
    if (this.#clock.monotonic() - prompt.askedAt >= ARRIVAL) prompt.reject(gone())
    else
      this.#clock.setTimeout(() => {
        if (this.#open.has(id)) this.#transport.send('stdin', prompt.peer, message)
      }, RETRY)
  }

  peerGone(peer: Peer): void {
    for (const prompt of this.#open.values()) if (samePeer(prompt.peer, peer)) prompt.reject(gone())
  }

  /** Only the client that was asked may answer. Jupyter's own client library sends no parent, so its session must do. */
  #answered(message: Message): Prompt | undefined {
    const { session } = message.header
    const parent = message.parent_header.msg_id
    const exact = parent === undefined ? undefined : this.#open.get(parent)
    if (exact) return exact.session === session ? exact : undefined
    for (const prompt of this.#open.values()) if (prompt.session === session) return prompt
    return undefined
  }
}

function samePeer(a: Peer, b: Peer): boolean {
  return a.length === b.length && a.every((frame, at) => Buffer.compare(frame, b[at] as Uint8Array) === 0)
}

function gone(): LlmspellError {
  return new LlmspellError('the client that should answer is gone', { code: 'input.client_gone' })
}

function notAllowed(execution: Execution | undefined): LlmspellError {
  const late = !execution
  return new LlmspellError(late ? 'input is possible only while a cell runs' : 'this client does not take input', {
    code: 'input.not_allowed',
    hint: late ? 'Ask before the cell ends.' : 'Run it from a console or a notebook, or pass the value as an argument.',
  })
}
