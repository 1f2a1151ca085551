import type { Clock } from '@llmspell/base'

export type StreamName = 'stdout' | 'stderr'

/** UTF-16 units joined at most into one message; about 64 KiB of ordinary text. */
const FULL = 65_536
/** Milliseconds text may wait for more. */
const LINGER = 20

/**
 * Joins the small writes of one execution. Text after a pause leaves at once, so a prompt or a progress line is seen without delay;
 * what follows within the linger time is joined. A change of stream flushes, so stdout and stderr keep their order.
 */
export class StreamBuffer {
  readonly #publish: (name: StreamName, text: string) => void
  readonly #clock: Clock
  #name: StreamName = 'stdout'
  #text = ''
  #lastFlush = Number.NEGATIVE_INFINITY
  #timer: { cancel(): void } | undefined

  constructor(publish: (name: StreamName, text: string) => void, clock: Clock) {
    this.#publish = publish
    this.#clock = clock
  }

  write(name: StreamName, text: string): void {
    if (text === '') return
    if (name !== this.#name) {
      this.flush()
      this.#name = name
    }
    this.#text += text
    const pause = this.#timer === undefined && this.#clock.monotonic() - this.#lastFlush >= LINGER
    if (pause || this.#text.length >= FULL) this.flush()
    else this.#timer ??= this.#clock.setTimeout(this.#onTimer, LINGER)
  }

  flush(): void {
    this.#timer?.cancel()
    this.#timer = undefined
    if (this.#text === '') return
    const text = this.#text
    this.#text = ''
    this.#lastFlush = this.#clock.monotonic()
    this.#publish(this.#name, text)
  }

  readonly #onTimer = (): void => {
    this.#timer = undefined
    this.flush()
  }
}
