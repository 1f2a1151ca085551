import { Session } from 'node:inspector'
import { LlmspellError } from '@llmspell/base'

/** Bounds a command for a script thread that is stuck in native code, where it cannot answer. */
export const ANSWER_MS = 10_000

/**
 * A session with the script thread's inspector. What comes back is handed out in order, from the event loop and not in the middle of other
 * code; what an answer sets going is done before the next one or an event is seen.
 */
export class Protocol {
  readonly #session = new Session()

  constructor(onEvent: (method: string, params: object) => void) {
    this.#session.connectToMainThread()
    this.#session.on('inspectorNotification', ({ method, params }: { method: string; params: object }) => {
      setImmediate(onEvent, method, params)
    })
  }

  disconnect(): void {
    this.#session.disconnect()
  }

  /** Rejects with the protocol's own message, or with `debug.busy` when there is no answer in time. */
  post<T = unknown>(method: string, params?: object, ms: number = ANSWER_MS): Promise<T> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(
          new LlmspellError('the script is busy in native code and cannot be looked at now', {
            code: 'debug.busy',
            hint: 'Try again when the call has returned.',
          }),
        )
      }, ms)
      this.#session.post(method, params, (error, result) => {
        setImmediate(() => {
          clearTimeout(timer)
          if (error) reject(new ProtocolError(error))
          else resolve(result as T)
        })
      })
    })
  }

  /** For commands whose answer says nothing. */
  send(method: string, params?: object): void {
    this.#session.post(method, params, () => {})
  }
}

/** What V8 said no to. */
export class ProtocolError extends Error {
  constructor(error: Error) {
    super(error.message.replace(/^Inspector error -?\d+: /, ''), { cause: error })
    this.name = 'ProtocolError'
  }
}
