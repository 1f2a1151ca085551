import { type Clock, LlmspellError } from '@llmspell/base'

export interface LivenessOptions {
  /** One heartbeat round trip; rejects when it takes longer than `timeoutMs`. */
  ping(timeoutMs: number): Promise<number>
  /** False when the kernel's process is known to be gone. Absent: nothing is known of its process. */
  isProcessAlive?: (() => boolean) | undefined
  clock: Clock
  onDead(error: LlmspellError): void
  /** The kernel missed heartbeats (true), or answers again (false). */
  onUnresponsive?: ((unresponsive: boolean) => void) | undefined
}

/** Milliseconds between looks at the process, and from a heartbeat to the next. */
const LOOK_MS = 250
const BEAT_MS = 2_000
/** A heartbeat that takes longer is missed. */
const BEAT_TIMEOUT_MS = 5_000
/** Misses in a row after which the kernel counts as gone. Counted, not timed, so that a machine that slept does not lose its kernels. */
const MISSES = 6

/**
 * Watches a kernel while something waits for it: nothing may wait for a dead kernel, and no kernel may be called dead because
 * it is busy. Looks at the process often (cheap, certain) and at the heartbeat seldom.
 */
export class Liveness {
  readonly #options: LivenessOptions
  #timer: { cancel(): void } | undefined
  #nextBeat = 0
  #misses = 0
  #beating = false
  #watching = false

  constructor(options: LivenessOptions) {
    this.#options = options
  }

  start(): void {
    if (this.#watching) return
    this.#watching = true
    this.#nextBeat = this.#options.clock.monotonic() + BEAT_MS
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
    if (!this.#watching) return
    const { clock, isProcessAlive } = this.#options
    if (isProcessAlive && !isProcessAlive()) {
      this.stop()
      this.#options.onDead(new LlmspellError('the kernel died', { code: 'kernel.died', data: { reason: 'process_gone' } }))
      return
    }
    if (!this.#beating && clock.monotonic() >= this.#nextBeat) void this.#beat()
    this.#schedule()
  }

  async #beat(): Promise<void> {
    this.#beating = true
    try {
      await this.#options.ping(BEAT_TIMEOUT_MS)
      if (this.#misses > 0) this.#options.onUnresponsive?.(false)
      this.#misses = 0
    } catch {
      if (this.#watching) this.#missed()
    } finally {
      this.#beating = false
      this.#nextBeat = this.#options.clock.monotonic() + BEAT_MS
    }
  }

  #missed(): void {
    this.#misses++
    if (this.#misses === 1) this.#options.onUnresponsive?.(true)
    if (this.#misses < MISSES) return
    this.stop()
    this.#options.onDead(
      new LlmspellError(`the kernel did not answer ${MISSES} heartbeats of ${BEAT_TIMEOUT_MS / 1000} s`, {
        code: 'kernel.unresponsive',
        data: { misses: MISSES, timeoutMs: BEAT_TIMEOUT_MS },
        hint: 'It may be stopped or swapped out. `llmspell kernel status` shows its state; `llmspell kernel stop --force` ends it.',
      }),
    )
  }
}
