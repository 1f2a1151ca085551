import type { Clock } from '@llmspell/base'

/** Fires once nothing has been done for a while: time counts from the last activity and only while nothing is at work. */
export class IdleTimer {
  readonly #clock: Clock
  readonly #timeout: number
  readonly #working: () => boolean
  readonly #onIdle: () => void
  #last: number
  #timer: { cancel(): void } | undefined

  /** `timeout` in milliseconds; 0 never fires. */
  constructor(clock: Clock, timeout: number, working: () => boolean, onIdle: () => void) {
    this.#clock = clock
    this.#timeout = timeout
    this.#working = working
    this.#onIdle = onIdle
    this.#last = clock.monotonic()
  }

  /** Milliseconds since the last activity; 0 while anything is at work. */
  get idleFor(): number {
    return this.#working() ? 0 : this.#clock.monotonic() - this.#last
  }

  start(): void {
    this.touch()
    if (this.#timeout > 0) this.#arm(this.#timeout)
  }

  touch(): void {
    this.#last = this.#clock.monotonic()
  }

  stop(): void {
    this.#timer?.cancel()
  }

  #arm(ms: number): void {
    this.#timer = this.#clock.setTimeout(() => this.#check(), ms)
  }

  #check(): void {
    if (this.#working()) this.touch()
    const rest = this.#timeout - (this.#clock.monotonic() - this.#last)
    if (rest <= 0) this.#onIdle()
    else this.#arm(rest)
  }
}
