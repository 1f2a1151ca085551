import { messageOf } from '@llmspell/base'
import { type Dap, Endpoint } from '@llmspell/dap'
import type { DebugTargetEvent } from '../debug-target.ts'
import type { EngineLink, EngineMember } from '../engine-link.ts'
import { ExceptionFilters } from './breakpoints/exception-filters.ts'
import { FunctionBreakpoints } from './breakpoints/function-breakpoints.ts'
import { SourceBreakpoints } from './breakpoints/source-breakpoints.ts'
import { Client } from './client.ts'
import { errorAnswer } from './error-answer.ts'
import { LifeCycle } from './life-cycle/life-cycle.ts'
import { References } from './references.ts'
import { requestTable } from './request-table.ts'
import type { SessionContext, SessionPorts } from './session-context.ts'
import { SessionEngines } from './session-engines.ts'
import { Sources } from './sources.ts'
import { Stops, tellTargetEvent } from './stops.ts'

/** A message of the Debug Adapter Protocol as JSON holds it. */
export type DapMessage = { seq: number; type: string } & Record<string, unknown>

/** How a session reaches its client. */
export interface SessionCarrier {
  /** `jupyter`: one session for all Jupyter clients of a kernel, on its control channel; it outlives `disconnect`. */
  readonly kind: 'dap' | 'jupyter'
  /** Events, and responses of requests that came without a `respond` of their own. Called in order; the message is the carrier's to keep. */
  send(message: DapMessage): void
  /** The last word is said: the connection can be closed. Never called for `jupyter`. */
  close?(): void
}

/** A conversation with one debugger: messages in, messages out, no I/O. Made by `DebugCoordinator.createSession`. */
export class DebugSession implements EngineMember {
  readonly #carrier: SessionCarrier
  readonly #context: SessionContext
  readonly #endpoint: Endpoint
  /** Requests whose answers go another way than the rest, by the number that they have here. */
  readonly #asides = new Map<number, { seq: number; respond(response: DapMessage): void }>()
  #asideCount = 0

  constructor(carrier: SessionCarrier, ports: SessionPorts) {
    this.#carrier = carrier
    this.#context = makeContext(this, carrier, ports, {
      event: (name, ...body) => this.#tell(() => this.#endpoint.event(name, ...(body as [never]))),
      clientLeft: () => this.#clientLeft(),
    })
    this.#endpoint = new Endpoint({
      send: (message) => this.#send(message),
      handlers: requestTable(this.#context),
      describeError: errorAnswer,
      onCancelProgress: (id) => this.#context.lifeCycle.cancelProgress(id),
      onProblem: (problem) => ports.logger.log('debug', problem.message),
    })
  }

  /** The client as it names itself. */
  get name(): string {
    return this.#context.client.name
  }

  /** True from the acceptance of attach or launch to its end. */
  get attached(): boolean {
    return this.#context.lifeCycle.attached
  }

  /**
   * A message of the client, parsed. Never throws; every request is answered once. With `respond` the answer goes there (the content of
   * the `debug_reply`), also for what is no request; without it, to the carrier's `send`.
   */
  receive(message: unknown, respond?: (response: DapMessage) => void): void {
    if (!respond) return this.#endpoint.receive(message)
    const { seq, type = 'request', command } = (typeof message === 'object' && message !== null ? message : {}) as Record<string, unknown>
    const answeredSeq = typeof seq === 'number' ? seq : 0
    if (type !== 'request' || typeof command !== 'string') {
      const told = typeof command === 'string' ? command : ''
      return respond({ seq: 0, type: 'response', request_seq: answeredSeq, command: told, success: false, message: 'this is no request' })
    }
    // Clients that share the session count each for themselves; the session needs numbers that are used once.
    const own = ++this.#asideCount
    this.#asides.set(own, { seq: answeredSeq, respond })
    this.#endpoint.receive({ ...(message as object), type, seq: own })
  }

  /** The connection is gone: `disconnected` after the client said so, `vanished` without a word. The script goes on as it asked for. */
  closed(_reason: 'disconnected' | 'vanished'): void {
    const { lifeCycle, logger, closed } = this.#context
    this.#endpoint.close()
    if (this.attached)
      lifeCycle.vanished().catch((error: unknown) => logger.log('warn', 'a debugger left trouble behind', { error: messageOf(error) }))
    closed()
  }

  /** The kernel ends. */
  dispose(): void {
    this.#context.lifeCycle.kernelEnds()
    this.#endpoint.close('the kernel ends')
    this.#context.closed()
    if (this.#carrier.kind === 'dap') this.#carrier.close?.()
  }

  // ---- what the coordinator tells ----

  engineAdded(link: EngineLink): void {
    this.#context.lifeCycle.engineAdded(link)
  }

  executionStarted(link: EngineLink): void {
    if (this.#context.engines.has(link)) this.#context.stops.executionStarted(link)
  }

  executionEnded(executionId: string, exitCode: number | undefined): void {
    this.#context.lifeCycle.executionEnded(executionId, exitCode)
  }

  output(executionId: string, name: 'stdout' | 'stderr', text: string): void {
    if (this.#context.lifeCycle.hears(executionId)) this.#context.event('output', { category: name, output: text })
  }

  // ---- what an engine tells ----

  engineEvent(link: EngineLink, event: DebugTargetEvent, wasStopped: boolean): void {
    if (this.#context.engines.has(link)) this.#tell(() => tellTargetEvent(this.#context, link, event, wasStopped))
  }

  async takeControl(link: EngineLink): Promise<void> {
    const { engines, breakpoints, functionBreakpoints, exceptionFilters } = this.#context
    if (!engines.has(link)) return
    await Promise.all([breakpoints.applyTo(link), functionBreakpoints.applyTo(link), exceptionFilters.applyTo(link)])
  }

  async giveUpControl(link: EngineLink): Promise<void> {
    const { breakpoints, functionBreakpoints, exceptionFilters } = this.#context
    await Promise.all([breakpoints.removeFrom(link), functionBreakpoints.removeFrom(link), exceptionFilters.removeFrom(link)])
  }

  engineGone(link: EngineLink, wasStopped: boolean): void {
    const { engines, stops, lifeCycle, event } = this.#context
    if (!engines.has(link)) return
    stops.lost(link, wasStopped)
    const threadId = engines.threadToClient(link, 1)
    engines.remove(link)
    if (lifeCycle.running) event('thread', { reason: 'exited', threadId })
  }

  #send(message: Dap.ProtocolMessage): void {
    if (message.type === 'response') {
      const aside = this.#asides.get(message.request_seq)
      if (aside) {
        this.#asides.delete(message.request_seq)
        return aside.respond({ ...message, request_seq: aside.seq })
      }
    }
    this.#carrier.send(message as unknown as DapMessage)
  }

  /** A client that cannot be told must not trouble the engine or other clients. */
  #tell(event: () => void): void {
    try {
      event()
    } catch (error) {
      this.#context.logger.log('warn', 'a debugger could not be told', { error: messageOf(error) })
    }
  }

  #clientLeft(): void {
    const { kind, breakpoints, functionBreakpoints, exceptionFilters, references } = this.#context
    references.clear()
    breakpoints.clear()
    functionBreakpoints.clear()
    exceptionFilters.clear()
    if (kind === 'jupyter') return
    this.#endpoint.close()
    this.#context.closed()
    this.#carrier.close?.()
  }
}

/** The parts know each other through the context, which is complete when the first message comes. */
function makeContext(
  member: EngineMember,
  { kind }: SessionCarrier,
  ports: SessionPorts,
  session: Pick<SessionContext, 'event' | 'clientLeft'>,
): SessionContext {
  const context = { ...ports, ...session, kind, member, client: new Client(), references: new References() } as unknown as SessionContext
  return Object.assign(context, {
    engines: new SessionEngines(context),
    sources: new Sources(context),
    stops: new Stops(context),
    breakpoints: new SourceBreakpoints(context),
    functionBreakpoints: new FunctionBreakpoints(context),
    exceptionFilters: new ExceptionFilters(context),
    lifeCycle: new LifeCycle(context),
  })
}
