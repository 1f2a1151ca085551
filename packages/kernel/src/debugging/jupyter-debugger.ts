import type { Clock } from '@llmspell/base'
import type { DapMessage, DebugCoordinator, DebugSession } from '@llmspell/debug'
import type { ContentOf, DebugReply, Header } from '@llmspell/jupyter'
import type { Publisher } from '../iopub/publisher.ts'
import type { RequestContext } from '../request-context.ts'
import type { RememberedRequest } from './restart-memory.ts'

export interface JupyterDebuggerParts {
  coordinator: DebugCoordinator
  publisher: Publisher
  /** A script has come to stand still; to be called before the client learns of it. */
  onStopped(): void
  /** Milliseconds that a script may stand still while no front end asks anything; 0 for ever. */
  patience: number
  clock: Clock
  trace(direction: 'in' | 'out', message: object): void
}

/**
 * The one debug session of all Jupyter clients: they share breakpoints and see the same stops. A front end that goes away says nothing,
 * so the session lives as long as the kernel.
 */
export class JupyterDebugger {
  readonly #parts: JupyterDebuggerParts
  readonly #session: DebugSession
  /** Events belong to the latest request: front ends drop what has no parent. */
  #parent: Header | undefined
  #stopped = false
  #patience: { cancel(): void } | undefined
  /** What it would have to be told again to be as it is, in order. */
  readonly #told = new Map<string, RememberedRequest>()

  constructor(parts: JupyterDebuggerParts) {
    this.#parts = parts
    this.#session = parts.coordinator.createSession({ kind: 'jupyter', send: (message) => this.#publish(message) })
  }

  /** Resolves when the session answers, which may be long after; never rejects. */
  request(content: ContentOf<'debug_request'>, { message, signal }: RequestContext): Promise<DebugReply> {
    const { seq, command } = content
    this.#parts.trace('in', content)
    this.#parent = message.header
    this.#watch()
    return new Promise((resolve) => {
      const answer = (response: DapMessage): void => {
        signal.removeEventListener('abort', onEnd)
        this.#parts.trace('out', response)
        if (response['success'] === true) this.#remember(content)
        resolve(response as unknown as DebugReply)
      }
      const onEnd = (): void => {
        const reason = signal.reason as Error
        answer({ seq: 0, type: 'response', request_seq: seq, success: false, command, message: reason.message })
      }
      signal.addEventListener('abort', onEnd, { once: true })
      this.#session.receive(content, answer)
    })
  }

  get told(): readonly RememberedRequest[] {
    return this.#told.has('attach') ? [...this.#told.values()] : []
  }

  /** What another process was told before this one. */
  async retell(requests: readonly RememberedRequest[]): Promise<void> {
    for (const request of requests) {
      const response = await new Promise<DapMessage>((resolve) => this.#session.receive(request, resolve))
      if (response['success'] === true) this.#remember(request)
    }
  }

  #remember({ seq, command, arguments: args }: Omit<RememberedRequest, 'type'>): void {
    const request: RememberedRequest = { type: 'request', seq, command, arguments: args }
    switch (command) {
      case 'initialize':
      case 'attach':
      case 'setFunctionBreakpoints':
      case 'setExceptionBreakpoints':
        this.#told.set(command, request)
        break
      case 'setBreakpoints': {
        const { source, breakpoints = [] } = (args ?? {}) as { source?: unknown; breakpoints?: readonly unknown[] }
        const key = `${command} ${JSON.stringify(source)}`
        // A cell has another name after each change of its text: those without breakpoints are not kept.
        if (breakpoints.length > 0) this.#told.set(key, request)
        else this.#told.delete(key)
        break
      }
      case 'disconnect':
      case 'terminate':
        this.#told.clear()
    }
  }

  dispose(): void {
    this.#patience?.cancel()
  }

  #publish(message: DapMessage): void {
    this.#parts.trace('out', message)
    if (message['event'] === 'stopped') {
      this.#parts.onStopped()
      this.#stopped = true
    } else if (message['event'] === 'continued' || message['event'] === 'terminated') this.#stopped = false
    this.#watch()
    this.#parts.publisher.publish('debug_event', message, this.#parent)
  }

  /** Whether a front end has vanished cannot be known, only that nobody asks. */
  #watch(): void {
    const { patience, clock } = this.#parts
    this.#patience?.cancel()
    if (patience === 0 || !this.#stopped) return
    this.#patience = clock.setTimeout(() => {
      this.#stopped = false
      this.#told.clear()
      this.#session.receive({ seq: 0, type: 'request', command: 'disconnect', arguments: { terminateDebuggee: false } }, () => {})
    }, patience)
  }
}
