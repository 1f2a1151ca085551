import { LlmspellError, type Logger, nearest } from '@llmspell/base'
import { type IncomingMessage, replyTypeOf } from '@llmspell/jupyter'
import type { ReplyContent } from '../feature.ts'
import { ControlLane } from './control-lane.ts'
import { Envelope, type EnvelopeServices } from './envelope.ts'
import type { Route, RouteTable } from './route.ts'

export interface RouterOptions extends Omit<EnvelopeServices, 'onClosed'> {
  shell: RouteTable
  control: RouteTable
  stdin(incoming: IncomingMessage): void
  /** Called when a request that is work rather than polling comes, and when it was answered. */
  onActivity(): void
  logger: Logger
}

/** Finds who answers a message, and answers for those that nobody does. */
export class Router {
  readonly #options: RouterOptions
  readonly #services: EnvelopeServices
  readonly #control: ControlLane
  readonly #open = new Set<Envelope>()
  #refusal: LlmspellError | undefined
  #held: IncomingMessage[] | undefined
  requests = 0

  constructor(options: RouterOptions) {
    this.#options = options
    this.#services = {
      ...options,
      onClosed: (envelope) => {
        this.#open.delete(envelope)
        if (!envelope.poll) options.onActivity()
      },
    }
    this.#control = new ControlLane(
      (incoming) => this.#dispatch(incoming, options.control),
      (type) => isBeside(options.control, type),
    )
  }

  /**
   * From now on work is refused with this error. Polling is not: a client that restarts its kernel reads a late kernel_info_reply
   * of the old one, and must not find an error in it.
   */
  refuse(reason: LlmspellError): void {
    this.#refusal = reason
  }

  /** Answers, with this error, what was asked before and is not answered yet, but for the request that is the cause. */
  failPending(reason: LlmspellError): void {
    for (const envelope of [...this.#open]) if (envelope.message.header.msg_type !== 'shutdown_request') envelope.fail(reason)
  }

  /** Shell requests wait from now on: the kernel is between two lives. */
  hold(): void {
    this.#held ??= []
  }

  release(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const incoming of held) void this.#dispatch(incoming, this.#options.shell)
  }

  /** The envelope of work that no client asked for: published like a client's, answered to nobody. */
  ownRequest(type: string, content: Record<string, unknown>, metadata: Record<string, unknown>): Envelope {
    if (this.#refusal) throw this.#refusal
    if (this.#held) throw new LlmspellError('the kernel is restarting', { code: 'kernel.restarted' })
    const message = this.#options.session.createRaw(type, 'shell', content, { metadata })
    const envelope = new Envelope({ channel: 'shell', message, peer: [] }, undefined, false, this.#services)
    this.#open.add(envelope)
    this.#options.onActivity()
    return envelope
  }

  receive(incoming: IncomingMessage): void {
    this.requests++
    const { channel, message } = incoming
    if (channel === 'shell' && this.#held) this.#held.push(incoming)
    else if (channel === 'shell') void this.#dispatch(incoming, this.#options.shell)
    else if (channel === 'control') this.#control.receive(incoming)
    else if (channel === 'stdin') this.#options.stdin(incoming)
    else this.#options.logger.log('warn', `dropped ${message.header.msg_type} on ${channel}: clients do not send there`)
  }

  /** A promise only when the answer is not there at once. */
  #dispatch(incoming: IncomingMessage, table: RouteTable): void | Promise<void> {
    const { header } = incoming.message
    const type = header.msg_type
    const route = Object.hasOwn(table, type) ? table[type] : undefined
    // A type nobody knows is answered too: its sender may be waiting.
    const replyType = replyTypeOf(type) ?? (route ? undefined : `${type}_reply`)
    const poll = route !== undefined && 'poll' in route && route.poll === true
    const envelope = new Envelope(incoming, replyType, poll, this.#services)
    this.#open.add(envelope)
    if (!poll) this.#options.onActivity()
    try {
      if (this.#refusal && !poll) throw this.#refusal
      if (!route) throw unknownType(type, table)
      if (header.subshell_id && incoming.channel === 'shell') throw noSubshell(header.subshell_id)
      return this.#answer(route, envelope)
    } catch (error) {
      this.#failed(envelope, error)
    }
  }

  #answer(route: Route, envelope: Envelope): void | Promise<void> {
    const { content } = envelope.message
    if ('enqueue' in route) return route.enqueue(content, envelope)
    envelope.open()
    const reply = route.answer(content, envelope)
    if (!(reply instanceof Promise)) return envelope.close(withStatus(reply))
    return reply.then(
      (late) => envelope.close(withStatus(late)),
      (error: unknown) => this.#failed(envelope, error),
    )
  }

  #failed(envelope: Envelope, error: unknown): void {
    const { msg_type, session } = envelope.message.header
    // A one-way message has no reply to carry the error.
    const level = envelope.replyType === undefined ? 'warn' : 'debug'
    this.#options.logger.log(level, `${msg_type} failed: ${error instanceof Error ? error.message : String(error)}`, { session })
    envelope.fail(error)
  }
}

function isBeside(table: RouteTable, type: string): boolean {
  const route = Object.hasOwn(table, type) ? table[type] : undefined
  return route !== undefined && 'beside' in route && route.beside === true
}

function withStatus(content: ReplyContent | undefined): ReplyContent | undefined {
  return content === undefined || 'status' in content ? content : { status: 'ok', ...content }
}

function unknownType(type: string, table: RouteTable): LlmspellError {
  const near = nearest(type, Object.keys(table))
  return new LlmspellError(`no handler for message type '${type}'`, {
    code: 'kernel.unknown_request',
    data: { msg_type: type },
    ...(near !== undefined && { hint: `Did you mean '${near}'?` }),
  })
}

function noSubshell(id: string): LlmspellError {
  return new LlmspellError(`no subshell '${id}': this kernel has none`, { code: 'kernel.not_supported', data: { subshell_id: id } })
}
