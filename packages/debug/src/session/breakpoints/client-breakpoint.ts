import type { Dap } from '@llmspell/dap'
import type { BoundBreakpoint } from '../../debug-target.ts'
import type { EngineLink } from '../../engine-link.ts'
import type { SessionContext } from '../session-context.ts'

/** Where a client wants a breakpoint. */
export interface Place {
  source: string
  line: number
  column?: number
}

interface Binding extends BoundBreakpoint {
  /** When the engine said so by itself; an answer to an earlier request is older news. 0: an answer. */
  toldAt: number
}

/** Counts what engines say, to tell news from older answers. */
let moments = 0

export function thisMoment(): number {
  return ++moments
}

/** A breakpoint of the client, and what became of it in each engine: verified when any binds it. */
export class ClientBreakpoint<Spec extends { id: number }> {
  readonly spec: Spec
  /** Why no engine is asked for it. */
  readonly refusal: string | undefined
  /** Undefined: on a function. */
  readonly place: Place | undefined
  readonly #bindings = new Map<EngineLink, Binding>()
  /** As the client was told last; undefined while its answer is under way. */
  #told: string | undefined

  constructor(spec: Spec, { refusal, place }: { refusal: string | undefined; place: Place | undefined }) {
    this.spec = spec
    this.refusal = refusal
    this.place = place
  }

  get bound(): BoundBreakpoint | undefined {
    for (const binding of this.#bindings.values()) if (binding.verified) return binding
    return undefined
  }

  /** `askedAt`: of the request that this answers; undefined: the engine says it by itself. */
  bind(link: EngineLink, bound: BoundBreakpoint, askedAt?: number): void {
    const before = this.#bindings.get(link)
    if (askedAt !== undefined && before && before.toldAt > askedAt) return
    this.#bindings.set(link, { ...bound, toldAt: askedAt === undefined ? thisMoment() : 0 })
  }

  unbind(link: EngineLink): void {
    this.#bindings.delete(link)
  }

  describe(context: SessionContext): Dap.Breakpoint {
    const bound = this.bound
    const described: Dap.Breakpoint = { id: this.spec.id, verified: bound !== undefined }
    const message = bound ? bound.message : this.#whyNot(context)
    if (message !== undefined) described.message = message
    if (!bound) described.reason = this.refusal === undefined ? 'pending' : 'failed'
    if (this.place) {
      described.source = context.sources.toClient(this.place.source)
      described.line = context.client.lineToClient(bound?.line ?? this.place.line)
      const column = bound ? bound.column : this.place.column
      if (column !== undefined) described.column = context.client.columnToClient(column)
    }
    return described
  }

  /** The client has its answer; from now on it hears of changes. */
  answered(context: SessionContext, answer: Dap.Breakpoint): void {
    this.#told = signature(answer)
    this.tellChange(context)
  }

  tellChange(context: SessionContext): void {
    if (this.#told === undefined) return
    const breakpoint = this.describe(context)
    const said = signature(breakpoint)
    if (said === this.#told) return
    this.#told = said
    context.event('breakpoint', { reason: 'changed', breakpoint })
  }

  #whyNot({ engines }: SessionContext): string {
    if (this.refusal !== undefined) return this.refusal
    for (const binding of this.#bindings.values()) if (binding.message !== undefined) return binding.message
    for (const link of engines.links) {
      const { controller } = link
      if (controller && !engines.controls(link)) return `${controller.name} controls ${link.engine.name}: set when it disconnects`
    }
    return this.place ? 'not bound yet: this source has not been loaded' : 'not bound yet: no such function has been loaded'
  }
}

/** What a client sees of it. */
function signature({ verified, message, line, column }: Dap.Breakpoint): string {
  return `${verified} ${line} ${column} ${message}`
}
