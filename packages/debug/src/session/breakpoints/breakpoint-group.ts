import { messageOf } from '@llmspell/base'
import type { Dap, RequestContext } from '@llmspell/dap'
import type { BoundBreakpoint } from '../../debug-target.ts'
import type { EngineLink } from '../../engine-link.ts'
import type { SessionContext } from '../session-context.ts'
import { ClientBreakpoint, type Place, thisMoment } from './client-breakpoint.ts'

/** A breakpoint as a client asks for it. */
export interface WantedBreakpoint<Spec> {
  spec: Omit<Spec, 'id'>
  /** The same words mean the same breakpoint. */
  identity: string
  /** Why no engine is asked for it. */
  refusal?: string
  place?: Place
}

/** Breakpoints that are set together: those of one source, or those on functions. */
export class BreakpointGroup<Spec extends { id: number }> {
  readonly #context: SessionContext
  readonly #setIn: (link: EngineLink, specs: Spec[]) => Promise<BoundBreakpoint[]>
  readonly #all = new Map<number, ClientBreakpoint<Spec>>()
  #byIdentity = new Map<string, ClientBreakpoint<Spec>[]>()

  constructor(context: SessionContext, setIn: (link: EngineLink, specs: Spec[]) => Promise<BoundBreakpoint[]>) {
    this.#context = context
    this.#setIn = setIn
  }

  get all(): IterableIterator<ClientBreakpoint<Spec>> {
    return this.#all.values()
  }

  get size(): number {
    return this.#all.size
  }

  /** What stays the same keeps its id, and so its hits. */
  async set(wanted: readonly WantedBreakpoint<Spec>[], request: RequestContext): Promise<Dap.Breakpoint[]> {
    const context = this.#context
    const { engines } = context
    const made = this.#replace(wanted)
    await Promise.all([...engines.links].filter((link) => engines.controls(link)).map((link) => this.#apply(link)))
    const answers = made.map((breakpoint) => breakpoint.describe(context))
    request.afterResponse(() => {
      for (const [index, breakpoint] of made.entries()) breakpoint.answered(context, answers[index] as Dap.Breakpoint)
    })
    return answers
  }

  async applyTo(link: EngineLink): Promise<void> {
    if (this.#all.size === 0) return
    await this.#apply(link)
    this.#tellChanges()
  }

  async removeFrom(link: EngineLink): Promise<void> {
    if (this.#all.size === 0) return
    this.unbind(link)
    await this.#setIn(link, [])
  }

  /** The engine says what became of one. */
  bound(link: EngineLink, bound: BoundBreakpoint): void {
    const breakpoint = this.#all.get(bound.id)
    breakpoint?.bind(link, bound)
    breakpoint?.tellChange(this.#context)
  }

  /** Nothing of this engine is bound any more. */
  unbind(link: EngineLink): void {
    for (const breakpoint of this.#all.values()) breakpoint.unbind(link)
    this.#tellChanges()
  }

  has(id: number): boolean {
    return this.#all.has(id)
  }

  clear(): void {
    this.#all.clear()
    this.#byIdentity.clear()
  }

  #replace(wanted: readonly WantedBreakpoint<Spec>[]): ClientBreakpoint<Spec>[] {
    const former = this.#byIdentity
    this.#byIdentity = new Map()
    this.#all.clear()
    return wanted.map(({ spec, identity, refusal, place }) => {
      const breakpoint =
        former.get(identity)?.shift() ?? new ClientBreakpoint({ ...spec, id: this.#context.nextBreakpointId() } as Spec, { refusal, place })
      const same = this.#byIdentity.get(identity)
      if (same) same.push(breakpoint)
      else this.#byIdentity.set(identity, [breakpoint])
      this.#all.set(breakpoint.spec.id, breakpoint)
      return breakpoint
    })
  }

  async #apply(link: EngineLink): Promise<void> {
    const breakpoints = [...this.#all.values()].filter(({ refusal }) => refusal === undefined)
    const askedAt = thisMoment()
    let answers: BoundBreakpoint[]
    try {
      const specs = breakpoints.map(({ spec }) => spec)
      answers = await this.#setIn(link, specs)
    } catch (error) {
      answers = breakpoints.map(({ spec }) => ({ id: spec.id, verified: false, message: messageOf(error) }))
    }
    if (!this.#context.engines.controls(link)) return
    for (const bound of answers) this.#all.get(bound.id)?.bind(link, bound, askedAt)
  }

  #tellChanges(): void {
    for (const breakpoint of this.#all.values()) breakpoint.tellChange(this.#context)
  }
}
