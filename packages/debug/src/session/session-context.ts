import type { Clock, Logger } from '@llmspell/base'
import type { Dap } from '@llmspell/dap'
import type { DebuggedEngine, DebugHost } from '../debug-host.ts'
import type { EngineLink, EngineMember } from '../engine-link.ts'
import type { ExceptionFilters } from './breakpoints/exception-filters.ts'
import type { FunctionBreakpoints } from './breakpoints/function-breakpoints.ts'
import type { SourceBreakpoints } from './breakpoints/source-breakpoints.ts'
import type { Client } from './client.ts'
import type { LifeCycle } from './life-cycle/life-cycle.ts'
import type { References } from './references.ts'
import type { SessionEngines } from './session-engines.ts'
import type { Sources } from './sources.ts'
import type { Stops } from './stops.ts'

/** What a session needs of its coordinator. */
export interface SessionPorts {
  readonly host: DebugHost
  readonly logger: Logger
  readonly clock: Clock
  /** Every engine of the kernel. */
  links(): EngineLink[]
  linkTo(engine: DebuggedEngine): EngineLink
  nextBreakpointId(): number
  attachedChanged(attached: boolean): void
  closed(): void
}

/** What the parts of one session share. */
export interface SessionContext extends SessionPorts {
  readonly kind: 'dap' | 'jupyter'
  /** The session among the members of an engine. */
  readonly member: EngineMember
  /** What the client said in `initialize`; before, what is usual. */
  client: Client
  readonly references: References
  readonly engines: SessionEngines
  readonly sources: Sources
  readonly stops: Stops
  readonly breakpoints: SourceBreakpoints
  readonly functionBreakpoints: FunctionBreakpoints
  readonly exceptionFilters: ExceptionFilters
  readonly lifeCycle: LifeCycle
  event<E extends Dap.EventName>(name: E, ...body: undefined extends Dap.Events[E] ? [body?: Dap.Events[E]] : [body: Dap.Events[E]]): void
  /** `disconnect` was answered. */
  clientLeft(): void
}
