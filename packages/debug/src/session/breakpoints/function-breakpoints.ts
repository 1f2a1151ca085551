import type { Dap, RequestContext } from '@llmspell/dap'
import type { FunctionBreakpointSpec } from '../../debug-target.ts'
import type { SessionContext } from '../session-context.ts'
import { BreakpointGroup, type WantedBreakpoint } from './breakpoint-group.ts'
import { isGiven, refusalOf } from './refusal.ts'

/** The breakpoints on functions by name. */
export class FunctionBreakpoints extends BreakpointGroup<FunctionBreakpointSpec> {
  constructor(context: SessionContext) {
    super(context, (link, specs) => link.target.setFunctionBreakpoints(specs))
  }

  setFunctions(functions: readonly Dap.FunctionBreakpoint[], request: RequestContext): Promise<Dap.Breakpoint[]> {
    return this.set(functions.map(wanted), request)
  }
}

function wanted({ name, condition, hitCondition }: Dap.FunctionBreakpoint): WantedBreakpoint<FunctionBreakpointSpec> {
  const spec = { name: name.trim(), ...(isGiven(condition) && { condition }), ...(isGiven(hitCondition) && { hitCondition }) }
  const refusal = spec.name === '' ? 'a function breakpoint needs the name of a function' : refusalOf(spec)
  const identity = JSON.stringify([spec.name, spec.condition, spec.hitCondition])
  return { spec, identity, ...(refusal !== undefined && { refusal }) }
}
