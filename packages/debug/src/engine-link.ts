import { type Disposable, type Logger, messageOf } from '@llmspell/base'
import type { DebuggedEngine } from './debug-host.ts'
import type { DebugTarget, DebugTargetEvent } from './debug-target.ts'

export type StoppedEvent = Extract<DebugTargetEvent, { type: 'stopped' }>

/** A session as its engines see it. */
export interface EngineMember {
  /** `Visual Studio Code`: who holds control, in messages to others. */
  readonly name: string
  /** `wasStopped`: before this event. */
  engineEvent(link: EngineLink, event: DebugTargetEvent, wasStopped: boolean): void
  /** It controls the engine from now on: sets its breakpoints. */
  takeControl(link: EngineLink): Promise<void>
  /** Another takes over: removes its breakpoints. */
  giveUpControl(link: EngineLink): Promise<void>
  /** The engine is gone for good. */
  engineGone(link: EngineLink, wasStopped: boolean): void
}

export interface JoinOptions {
  /** Takes control from whoever has it (of the engine of one's own launch). */
  control?: boolean
  stopOnEntry?: boolean
  recordHistory?: boolean
}

/** What becomes of a script that stands still when its last debugger leaves. */
export type LeaveMode = 'continue' | 'stay'

/**
 * One engine and the sessions on it: the first controls it, the others observe; when it leaves, the next takes over.
 * Attaching, detaching and changes of control happen one after the other.
 */
export class EngineLink {
  readonly engine: DebuggedEngine
  /** Counts the engines of a coordinator from 1. */
  readonly ordinal: number
  /** What runs there now. */
  execution: { executionId: string; source: string } | undefined
  readonly #logger: Logger
  readonly #members = new Map<EngineMember, JoinOptions>()
  /** They still hear what was printed while they were there. */
  readonly #leaving = new Set<EngineMember>()
  #controller: EngineMember | undefined
  #stop: StoppedEvent | undefined
  #subscription: Disposable | undefined
  #held: DebugTargetEvent[] | undefined
  #holds = 0
  /** What the target was told last; undefined: not attached. */
  #attached: { recordHistory: boolean } | undefined
  /** Somebody waits for the stop at entry. */
  #entryAhead = false
  #work: Promise<unknown> = Promise.resolve()

  constructor(engine: DebuggedEngine, ordinal: number, logger: Logger) {
    this.engine = engine
    this.ordinal = ordinal
    this.#logger = logger
  }

  get target(): DebugTarget {
    return this.engine.target
  }

  get controller(): EngineMember | undefined {
    return this.#controller
  }

  /** The thread that stands still; the others of the engine stand still with it. */
  get stop(): StoppedEvent | undefined {
    return this.#stop
  }

  /** Resolves when what is under way has ended: attaching, detaching, changes of control. Never rejects. */
  get settled(): Promise<unknown> {
    return this.#work
  }

  /** It can go back, because one session asked for that. */
  get recordsHistory(): boolean {
    return this.target.features.stepBack && this.#wantsHistory()
  }

  /** Resolves when the target is attached and, for the controller, its breakpoints are set. */
  join(member: EngineMember, options: JoinOptions): Promise<void> {
    this.#members.set(member, options)
    this.#subscription ??= this.target.onEvent((event) => this.#receive(event))
    const former = this.#controller
    if (!former || options.control) this.#controller = member
    return this.#queue(async () => {
      if (!this.#members.has(member)) return
      await this.#attach(options.stopOnEntry === true)
      if (this.#controller !== member) return
      if (former && former !== member) await this.#tell(former.giveUpControl(this), 'giving up control')
      await member.takeControl(this)
    })
  }

  /** Resolves when the next one controls it or, after the last, when the target is detached. */
  leave(member: EngineMember, mode: LeaveMode): Promise<void> {
    if (!this.#members.delete(member)) return Promise.resolve()
    this.#leaving.add(member)
    const controlled = this.#controller === member
    if (controlled) this.#controller = this.#members.keys().next().value
    const next = this.#controller
    return this.#queue(async () => {
      if (this.#members.size === 0 && !(mode === 'stay' && this.#stop)) await this.#detach()
      else if (controlled) {
        await this.#tell(member.giveUpControl(this), 'giving up control')
        if (next && next === this.#controller) await this.#tell(next.takeControl(this), 'taking control')
      }
      this.#leaving.delete(member)
    })
  }

  /**
   * Keeps events back until the answer of a request that causes some has been sent. Answers the function that lets them go;
   * what is given to it is told to the other members first.
   */
  hold(by: EngineMember): (caused?: DebugTargetEvent) => void {
    this.#holds++
    this.#held ??= []
    return (caused) => {
      if (caused) this.#deliver(caused, by)
      if (--this.#holds > 0) return
      const held = this.#held ?? []
      this.#held = undefined
      for (const event of held) this.#deliver(event)
    }
  }

  /** The kernel took the engine away. */
  gone(): void {
    this.#subscription?.dispose()
    const members = [...this.#members.keys()]
    this.#members.clear()
    const wasStopped = this.#stop !== undefined
    this.#controller = undefined
    this.#stop = undefined
    for (const member of members) member.engineGone(this, wasStopped)
  }

  #receive(event: DebugTargetEvent): void {
    // Answers of a lost engine may never come.
    if (event.type === 'lost') for (const held of this.#held?.splice(0) ?? []) this.#deliver(held)
    if (this.#held && event.type !== 'lost') this.#held.push(event)
    else this.#deliver(event)
  }

  #deliver(event: DebugTargetEvent, except?: EngineMember): void {
    const wasStopped = this.#stop !== undefined
    if (event.type === 'stopped') {
      this.#stop = event
      this.#entryAhead = false
    } else if (event.type === 'continued' || event.type === 'lost') {
      this.#stop = undefined
      // It stood still for a debugger that has left.
      if (this.#members.size === 0) void this.#queue(() => this.#detach())
    }
    const told = new Set(this.#members.keys())
    if (event.type === 'output') for (const member of this.#leaving) told.add(member)
    for (const member of told) if (member !== except) member.engineEvent(this, event, wasStopped)
  }

  /** A history that one session asked for is kept for all; a stop at entry that one waits for is not forgotten for another. */
  async #attach(stopOnEntry: boolean): Promise<void> {
    const recordHistory = this.#wantsHistory()
    if (this.#attached && !stopOnEntry && (this.#attached.recordHistory || !recordHistory)) return
    this.#entryAhead ||= stopOnEntry
    await this.target.attach({ stopOnEntry: this.#entryAhead, recordHistory })
    this.#attached = { recordHistory }
  }

  async #detach(): Promise<void> {
    if (!this.#attached || this.#members.size > 0) return
    this.#attached = undefined
    this.#entryAhead = false
    this.#stop = undefined
    await this.#tell(this.target.detach(), 'detaching')
    this.#stop = undefined
    if (this.#members.size > 0) return
    this.#subscription?.dispose()
    this.#subscription = undefined
  }

  #wantsHistory(): boolean {
    return [...this.#members.values()].some(({ recordHistory }) => recordHistory === true)
  }

  #queue<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#work.then(work)
    this.#work = done.catch(() => undefined)
    return done
  }

  /** One member's trouble must not keep another from its turn. */
  async #tell(work: Promise<void>, what: string): Promise<void> {
    await work.catch((error: unknown) => this.#logger.log('warn', `${what} failed`, { engine: this.engine.id, error: messageOf(error) }))
  }
}
