import type { Dap, Handlers, RequestContext } from '@llmspell/dap'
import { breakpointHandlers } from './breakpoints/breakpoint-handlers.ts'
import { evaluationHandlers } from './evaluation.ts'
import { type Phase, wrongState } from './life-cycle/life-cycle.ts'
import { lifeCycleHandlers } from './life-cycle/life-cycle-handlers.ts'
import { memoryHandlers } from './memory.ts'
import { notebookHandlers } from './notebook/notebook-handlers.ts'
import type { SessionContext } from './session-context.ts'
import { sourceHandlers } from './sources.ts'
import { stackHandlers } from './stack.ts'
import { steppingHandlers } from './stepping.ts'
import { variableHandlers } from './variables.ts'

const always: readonly Phase[] = ['fresh', 'initialized', 'starting', 'running', 'ended']
const afterInitialize: readonly Phase[] = ['initialized', 'starting', 'running', 'ended']
const attached: readonly Phase[] = ['starting', 'running']

/** When each request may come. What is not named here needs something that is debugged. */
const phases: Readonly<Partial<Record<Dap.AnyCommand, readonly Phase[]>>> = {
  initialize: ['fresh'],
  launch: ['initialized'],
  attach: ['initialized'],
  configurationDone: afterInitialize,
  setBreakpoints: afterInitialize,
  setFunctionBreakpoints: afterInitialize,
  setExceptionBreakpoints: afterInitialize,
  breakpointLocations: afterInitialize,
  loadedSources: afterInitialize,
  threads: afterInitialize,
  source: always,
  modules: always,
  terminate: always,
  disconnect: always,
  debugInfo: always,
  dumpCell: always,
  inspectVariables: always,
  richInspectVariables: always,
}

/** Notebooks share a session: each of their clients may begin it, and look at variables before. */
const notebookPhases: Readonly<Partial<Record<Dap.AnyCommand, readonly Phase[]>>> = {
  initialize: always,
  attach: afterInitialize,
  variables: always,
  launch: [],
}

/** Every request that a session answers. */
export function requestTable(context: SessionContext): Handlers {
  const all: Handlers = {
    ...lifeCycleHandlers(context),
    ...breakpointHandlers(context),
    ...steppingHandlers(context),
    ...stackHandlers(context),
    ...variableHandlers(context),
    ...evaluationHandlers(context),
    ...sourceHandlers(context),
    ...memoryHandlers(context),
    ...notebookHandlers(context),
  }
  const guarded = Object.entries(all).map(([name, handle]) => {
    const command = name as Dap.AnyCommand
    const allowed = (context.kind === 'jupyter' ? notebookPhases[command] : undefined) ?? phases[command] ?? attached
    const answer = handle as (args: unknown, request: RequestContext) => unknown
    return [
      command,
      (args: unknown, request: RequestContext): unknown => {
        const { phase } = context.lifeCycle
        if (!allowed.includes(phase)) throw wrongState(command, phase)
        return answer(args, request)
      },
    ]
  })
  return Object.fromEntries(guarded) as Handlers
}
