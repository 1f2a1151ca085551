import { type Deferred, deferred, Emitter } from '@llmspell/base'
import type { Channel, ClientTransport, Message } from '@llmspell/jupyter'

/** A kernel that does exactly what a test tells it, at the far end of an in-process carrier. */
export class ScriptedKernel {
  readonly received: Message[] = []
  readonly transport: ClientTransport
  opens = true
  readonly #toClient = new Emitter<Message>()
  readonly #closed: Deferred<Error | undefined> = deferred()
  #count = 0
  #held: Deferred<void> | undefined
  #waiters: { type: string; found: (message: Message) => void }[] = []

  constructor() {
    this.transport = {
      onMessage: (listener) => this.#toClient.on(listener),
      open: () => (this.opens ? Promise.resolve() : new Promise(() => {})),
      send: (_channel, message) => {
        this.received.push(message)
        const index = this.#waiters.findIndex((waiter) => waiter.type === message.header.msg_type)
        if (index >= 0) this.#waiters.splice(index, 1)[0]?.found(message)
      },
      ping: () => (this.#held ? this.#held.promise.then(() => 0) : Promise.resolve(0)),
      closed: this.#closed.promise,
      close: async () => this.#closed.resolve(undefined),
    }
  }

  /** The next request of this type, also one that has come already. */
  async next(type: string): Promise<Message> {
    const index = this.received.findIndex((message) => message.header.msg_type === type)
    if (index >= 0) return this.received.splice(index, 1)[0] as Message
    const message = await new Promise<Message>((found) => this.#waiters.push({ type, found }))
    this.received.splice(this.received.indexOf(message), 1)
    return message
  }

  answer(request: Message, channel: Channel, type: string, content: Record<string, unknown>): void {
    this.#toClient.emit({
      channel,
      header: {
        msg_id: `kernel_${this.#count++}`,
        session: 'kernel',
        username: 'kernel',
        date: new Date().toISOString(),
        msg_type: type,
        version: '5.5',
      },
      parent_header: request.header,
      metadata: {},
      content,
      buffers: [],
    })
  }

  publish(request: Message, type: string, content: Record<string, unknown>): void {
    this.answer(request, 'iopub', type, content)
  }

  status(request: Message, state: 'busy' | 'idle'): void {
    this.publish(request, 'status', { execution_state: state })
  }

  holdHeartbeats(): void {
    this.#held = deferred()
  }

  releaseHeartbeats(): void {
    this.#held?.resolve()
    this.#held = undefined
  }

  breakConnection(reason: Error): void {
    this.#closed.resolve(reason)
  }
}

/** Time that passes only when told to, with turns of the event loop between the timers. */
export class ManualClock {
  #now = 0
  #timers: { at: number; run: () => void }[] = []

  now(): number {
    return this.#now
  }

  monotonic(): number {
    return this.#now
  }

  setTimeout(run: () => void, ms: number): { cancel(): void } {
    const timer = { at: this.#now + ms, run }
    this.#timers.push(timer)
    return {
      cancel: () => {
        this.#timers = this.#timers.filter((other) => other !== timer)
      },
    }
  }

  get pending(): number {
    return this.#timers.length
  }

  async pass(ms: number): Promise<void> {
    const end = this.#now + ms
    for (;;) {
      const due = this.#timers.filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0]
      if (!due) break
      this.#now = due.at
      this.#timers = this.#timers.filter((timer) => timer !== due)
      due.run()
      await new Promise((resolve) => setImmediate(resolve))
    }
    this.#now = end
  }
}
