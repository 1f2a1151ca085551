import type { Clock, Logger } from '@llmspell/base'
import type { KernelTransport } from '@llmspell/jupyter'

/** Decides when scripts must wait for a slow subscriber, and when waiting has lasted too long. */
export class BackPressure {
  readonly #transport: KernelTransport
  readonly #highWater: number
  readonly #patience: number
  readonly #clock: Clock
  readonly #logger: Logger
  #drained: Promise<void> | undefined
  #stalled = false

  constructor(transport: KernelTransport, highWater: number, patience: number, clock: Clock, logger: Logger) {
    this.#transport = transport
    this.#highWater = highWater
    this.#patience = patience
    this.#clock = clock
    this.#logger = logger
  }

  /** Milliseconds of patience that ran out when `stalled`. */
  get patience(): number {
    return this.#patience
  }

  /** Nobody took output for longer than the patience: what scripts print meanwhile is dropped and counted, status messages never. */
  get stalled(): boolean {
    if (this.#stalled && this.#transport.backlog <= this.#highWater / 2) {
      this.#stalled = false
      this.#logger.log('info', 'subscribers take output again')
    }
    return this.#stalled
  }

  /** What a script must wait for before it prints more; `undefined` while the carrier keeps up. */
  wait(): Promise<void> | undefined {
    if (this.#transport.backlog <= this.#highWater || this.#stalled) return undefined
    this.#drained ??= this.#drain()
    return this.#drained
  }

  #drain(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    let timer: { cancel(): void }
    const done = (): void => {
      timer.cancel()
      // After a stall the carrier may be empty only when the next wait has begun already.
      if (this.#drained === promise) this.#drained = undefined
      resolve()
    }
    let before = this.#transport.backlog
    const check = (): void => {
      const backlog = this.#transport.backlog
      if (backlog < before) {
        before = backlog
        timer = this.#clock.setTimeout(check, this.#patience)
        return
      }
      this.#stalled = true
      this.#logger.log('warn', 'subscribers take no output; stream output is dropped until they do', {
        backlog,
        patience_ms: this.#patience,
      })
      done()
    }
    timer = this.#clock.setTimeout(check, this.#patience)
    this.#transport.flushed().then(done, done)
    return promise
  }
}
