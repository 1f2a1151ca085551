import { type Clock, type Disposable, Emitter, type Logger, silentLogger, systemClock, toDisposable } from '@llmspell/base'
import type { DebuggedEngine, DebugHost } from './debug-host.ts'
import { EngineLink } from './engine-link.ts'
import { DebugSession, type SessionCarrier } from './session/debug-session.ts'

export interface DebugCoordinatorOptions {
  logger?: Logger
  clock?: Clock
}

/** The engines of one kernel and the debug sessions on them. */
export class DebugCoordinator implements Disposable {
  readonly host: DebugHost
  readonly #logger: Logger
  readonly #clock: Clock
  readonly #links = new Map<string, EngineLink>()
  readonly #sessions = new Set<DebugSession>()
  readonly #active = new Emitter<boolean>()
  readonly #attached = new Set<DebugSession>()
  #engineCount = 0
  #breakpointCount = 0

  constructor(host: DebugHost, { logger = silentLogger, clock = systemClock }: DebugCoordinatorOptions = {}) {
    this.host = host
    this.#logger = logger
    this.#clock = clock
  }

  /** True while a session is attached or has launched something: a kernel with one is not idle. */
  get active(): boolean {
    return this.#attached.size > 0
  }

  /** Sessions that are attached or have launched something. */
  get attachedSessions(): number {
    return this.#attached.size
  }

  /** True while a debugger holds a thread of this engine. */
  isStopped(engineId: string): boolean {
    return this.#links.get(engineId)?.stop !== undefined
  }

  /** Resolves when the sessions of this engine have attached and set their breakpoints: code that is given to it then meets them. */
  async settled(engineId: string): Promise<void> {
    await this.#links.get(engineId)?.settled
  }

  /** Told when `active` changes. */
  onActive(listener: (active: boolean) => void): Disposable {
    return this.#active.on(listener)
  }

  /** Sessions attached to all engines join at once. Dispose it when the engine is gone for good; a replaced one sends `lost` instead. */
  addEngine(engine: DebuggedEngine): Disposable {
    const link = this.#link(engine)
    for (const session of this.#attached) session.engineAdded(link)
    return toDisposable(() => {
      this.#links.delete(engine.id)
      link.gone()
    })
  }

  /** A conversation with one client: `dap` once, `jupyter` as often as its clients like. */
  createSession(carrier: SessionCarrier): DebugSession {
    const session = new DebugSession(carrier, {
      host: this.host,
      logger: this.#logger,
      clock: this.#clock,
      links: () => [...this.#links.values()],
      linkTo: (engine) => this.#link(engine),
      nextBreakpointId: () => ++this.#breakpointCount,
      attachedChanged: (attached) => this.#attachedChanged(session, attached),
      closed: () => this.#sessions.delete(session),
    })
    this.#sessions.add(session)
    return session
  }

  /** Call it before the engine is given the code. */
  executionStarted(engineId: string, execution: { executionId: string; source: string }): void {
    const link = this.#links.get(engineId)
    if (!link) return
    link.execution = execution
    for (const session of this.#attached) session.executionStarted(link)
  }

  /** Call it after all of its output was given. */
  executionEnded(engineId: string, executionId: string, exitCode?: number): void {
    const link = this.#links.get(engineId)
    if (link?.execution?.executionId !== executionId) return
    link.execution = undefined
    for (const session of this.#attached) session.executionEnded(executionId, exitCode)
  }

  /** What executions print, for attached sessions; a session hears its own launch's by `RunObserver.output`. */
  output(engineId: string, executionId: string, name: 'stdout' | 'stderr', text: string): void {
    if (this.#attached.size === 0 || !this.#links.has(engineId)) return
    for (const session of this.#attached) session.output(executionId, name, text)
  }

  /** The kernel ends: sessions are told (`terminated`) and closed. */
  dispose(): void {
    for (const session of [...this.#sessions]) session.dispose()
    for (const link of this.#links.values()) link.gone()
    this.#links.clear()
  }

  /** A launched engine is known from `prepare` on, whether or not it was added before. */
  #link(engine: DebuggedEngine): EngineLink {
    let link = this.#links.get(engine.id)
    if (!link) {
      link = new EngineLink(engine, ++this.#engineCount, this.#logger)
      this.#links.set(engine.id, link)
    }
    return link
  }

  #attachedChanged(session: DebugSession, attached: boolean): void {
    const before = this.active
    if (attached) this.#attached.add(session)
    else this.#attached.delete(session)
    if (this.active !== before) this.#active.emit(this.active)
  }
}
