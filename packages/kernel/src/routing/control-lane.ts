import type { IncomingMessage } from '@llmspell/jupyter'

/**
 * Control requests one at a time, in order. Those that may wait long (a debugger's) go beside: they begin in the order they came, and
 * none waits for them. An interrupt does not wait behind a request that is blocked either, unless that request is itself an interrupt,
 * which does the same work.
 */
export class ControlLane {
  readonly #dispatch: (incoming: IncomingMessage) => void | Promise<void>
  readonly #beside: (type: string) => boolean
  readonly #waiting: IncomingMessage[] = []
  #current: string | undefined

  constructor(dispatch: (incoming: IncomingMessage) => void | Promise<void>, beside: (type: string) => boolean) {
    this.#dispatch = dispatch
    this.#beside = beside
  }

  receive(incoming: IncomingMessage): void {
    const type = incoming.message.header.msg_type
    if (this.#beside(type)) void this.#dispatch(incoming)
    else if (this.#current === undefined) this.#run(incoming)
    else if (type === 'interrupt_request' && this.#current !== 'interrupt_request') void this.#dispatch(incoming)
    else this.#waiting.push(incoming)
  }

  #run(first: IncomingMessage): void {
    for (let incoming: IncomingMessage | undefined = first; incoming; incoming = this.#waiting.shift()) {
      this.#current = incoming.message.header.msg_type
      const answered = this.#dispatch(incoming)
      if (answered) {
        void answered.then(() => this.#next())
        return
      }
    }
    this.#current = undefined
  }

  #next(): void {
    const next = this.#waiting.shift()
    this.#current = undefined
    if (next) this.#run(next)
  }
}
