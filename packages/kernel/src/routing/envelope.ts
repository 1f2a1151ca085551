import type { IncomingMessage, KernelTransport, Message, Peer, Session } from '@llmspell/jupyter'
import { errorToReply } from '../error-to-reply.ts'
import type { Publisher, PublishOptions } from '../iopub/publisher.ts'
import type { RequestContext } from '../request-context.ts'

export interface EnvelopeServices {
  transport: KernelTransport
  /** Names the kernel's messages. */
  session: Session
  publisher: Publisher
  /** The signal of the kernel's present life; a restart makes a new one. */
  lifeSignal(): AbortSignal
  onClosed(envelope: Envelope): void
}

/**
 * What surrounds every request of shell and control: `busy`, exactly one reply (none for one-way messages), `idle`, all with the
 * request as parent. Whatever happens to a handler, the envelope is opened and closed once.
 */
export class Envelope implements RequestContext {
  readonly channel: 'shell' | 'control'
  readonly message: Message
  readonly peer: Peer
  readonly signal: AbortSignal
  /** `undefined` for messages that are not answered. */
  readonly replyType: string | undefined
  /** Does not count as work for the idle time-out. */
  readonly poll: boolean
  readonly #services: EnvelopeServices
  #state: 'waiting' | 'open' | 'closed' = 'waiting'
  #after: (() => void)[] | undefined

  constructor(incoming: IncomingMessage, replyType: string | undefined, poll: boolean, services: EnvelopeServices) {
    this.channel = incoming.channel === 'control' ? 'control' : 'shell'
    this.message = incoming.message
    this.peer = incoming.peer
    this.replyType = replyType
    this.poll = poll
    this.signal = services.lifeSignal()
    this.#services = services
  }

  get session(): string {
    return this.message.header.session
  }

  open(): void {
    if (this.#state !== 'waiting') return
    this.#state = 'open'
    this.#services.publisher.status('busy', this.message.header)
  }

  publish(type: string, content: object, options?: PublishOptions): void {
    this.#services.publisher.publish(type, content, this.message.header, options)
  }

  afterReply(run: () => void): void {
    this.#after ??= []
    this.#after.push(run)
  }

  /** Sends the reply and `idle`. Later calls are no-ops: a request has one answer. */
  close(content: object | undefined, options?: PublishOptions): void {
    if (this.#state === 'closed') return
    this.open()
    this.#state = 'closed'
    const { transport, session, publisher } = this.#services
    if (this.replyType !== undefined && content !== undefined)
      transport.send(
        this.channel,
        this.peer,
        session.createRaw(this.replyType, this.channel, content, { ...options, parent: this.message }),
      )
    publisher.status('idle', this.message.header)
    this.#services.onClosed(this)
    for (const run of this.#after ?? []) run()
  }

  fail(thrown: unknown): void {
    this.close(errorToReply(thrown))
  }
}
