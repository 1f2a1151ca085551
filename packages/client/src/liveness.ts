import { type Clock, LlmspellError } from '@llmspell/base'

export interface LivenessOptions {
  /** One heartbeat round trip; rejects when it takes longer than `timeoutMs`. */
  ping(timeoutMs: number): Promise<number>
  /** False when the kernel's process is known to be gone. Absent: nothing is known of its process. */
  isProcessAlive?: (() => boolean) | undefined
  clock: Clock
  onDead(error: LlmspellError): void
  /** The heartbeat is late (true), or has come again (false). */
  onUnresponsive?: ((unresponsive: boolean) => void) | undefined
}

/** Milliseconds between two looks. */
const LOOK_MS = 250
/** Looks from one heartbeat to the next, 2 s. */
const BEAT_EVERY = 8
/** Looks after which a heartbeat is late, 15 s, and after which the kernel counts as gone, 60 s. */
const LATE = 60
const LOST = 240

/**
 * Watches a kernel while something waits for it: nothing may wait for a dead kernel, and no kernel may be called dead because
 * it or this process is busy. Looks at the process often (cheap, certain) and at the heartbeat seldom. Time is counted in
 * looks that really happened, so a machine that slept, or a process that got no turn, does not lose its kernels.
 */
export class Liveness {
  readonly #options: LivenessOptions
  #timer: { cancel(): void } | undefined
  #untilBeat = BEAT_EVERY
  /** Looks since a heartbeat went out that has not come back. */
  #outstanding: number | undefined
  #watching = false

  constructor(options: LivenessOptions) {
    this.#options = options
  }

  start(): void {
    if (this.#watching) return
    this.#watching = true
    this.#untilBeat = BEAT_EVERY
    this.#schedule()
  }

  stop(): void {
    this.#watching = false
    this.#timer?.cancel()
  }

  #schedule(): void {
    this.#timer = this.#options.clock.setTimeout(() => this.#look(), LOOK_MS)
  }

  #look(): void {
    const { isProcessAlive, onUnresponsive } = this.#options
    if (isProcessAlive && !isProcessAlive()) {
      this.#dead(new LlmspellError('the kernel died', { code: 'kernel.died', data: { reason: 'process_gone' } }))
      return
    }
    if (this.#outstanding === undefined) {
      if (--this.#untilBeat <= 0) void this.#beat()
    } else if (++this.#outstanding === LATE) onUnresponsive?.(true)
    else if (this.#outstanding >= LOST) {
      const seconds = (LOST * LOOK_MS) / 1000
      this.#dead(
        new LlmspellError(`the kernel did not answer a heartbeat for ${seconds} s`, {
          code: 'kernel.unresponsive',
          data: { seconds },
          hint: 'It may be stopped or swapped out. `llmspell kernel list` shows its state; `llmspell kernel stop --force` ends it.',
        }),
      )
      return
    }
    // Whoever was told may have stopped the watch.
    if (this.#watching) this.#schedule()
  }

  #dead(error: LlmspellError): void {
    this.stop()
    this.#options.onDead(error)
  }

  async #beat(): Promise<void> {
    this.#outstanding = 0
    try {
      await this.#options.ping(PING_MS)
    } catch {
      return // The connection is gone, which its end tells, or the looks above have long given up.
    }
    if (this.#outstanding >= LATE) this.#options.onUnresponsive?.(false)
    this.#outstanding = undefined
    this.#untilBeat = BEAT_EVERY
  }
}

/** Longer than any count of looks: it is they that decide. */
const PING_MS = 24 * 3_600_000
