import { type Logger, messageOf } from '@llmspell/base'
import type { HistoryEntry, HistoryStore } from './history-store.ts'

/** Writes one run of the kernel into the history, without ever holding up a reply. */
export class HistoryRecorder {
  readonly #store: HistoryStore
  readonly #logger: Logger
  #session: Promise<number> = Promise.reject(new Error('the history is not open yet'))
  #number: number | undefined

  constructor(store: HistoryStore, logger: Logger) {
    this.#store = store
    this.#logger = logger
    this.#session.catch(() => {})
  }

  /** Number of the present session; rejects when the history could not be opened. */
  get session(): Promise<number> {
    return this.#session
  }

  /** Opens a session: at the start of the kernel and at each restart. */
  begin(): void {
    this.#number = undefined
    this.#session = this.#store.openSession()
    this.#session.then(
      (number) => {
        this.#number = number
      },
      (error: unknown) => this.#logger.log('error', `inputs are not remembered: the history did not open: ${messageOf(error)}`),
    )
  }

  append(line: number, source: string): void {
    this.#write((session) => this.#store.append({ session, line, source }))
  }

  setOutput(line: number, output: string): void {
    this.#write((session) => this.#store.setOutput(session, line, output))
  }

  /** Lines of a session; 0 is the present one, negative numbers count back from it. */
  async range(session: number, start: number, stop: number | undefined): Promise<HistoryEntry[]> {
    const number = session > 0 ? session : (await this.#session) + session
    return this.#store.range(number, start, stop)
  }

  #write(write: (session: number) => void): void {
    if (this.#number !== undefined) write(this.#number)
    else this.#session.then(write, () => {})
  }
}
