import { codeOf, type Logger, messageOf } from '@llmspell/base'

const WINDOW_MS = 1000
const LINES_PER_WINDOW = 5

/** Counts refused messages and tells of them without letting a flood of them flood the log. */
export class DropLog {
  readonly counts: Record<string, number> = {}
  readonly #logger: Logger
  #windowStart = 0
  #lines = 0
  #suppressed = 0

  constructor(logger: Logger) {
    this.#logger = logger
  }

  add(channel: string, error: unknown): void {
    const code = codeOf(error) ?? 'wire.unknown'
    this.counts[code] = (this.counts[code] ?? 0) + 1
    const now = performance.now()
    if (now - this.#windowStart > WINDOW_MS) {
      if (this.#suppressed > 0) this.#logger.log('warn', `${this.#suppressed} more messages were dropped`, { suppressed: this.#suppressed })
      this.#windowStart = now
      this.#lines = 0
      this.#suppressed = 0
    }
    if (this.#lines++ < LINES_PER_WINDOW) this.#logger.log('warn', `message dropped: ${messageOf(error)}`, { channel, code })
    else this.#suppressed++
  }
}
