import { withTimeout } from '@llmspell/base'
import type { AttachOptions, BreakpointSpec, DebugTarget, DebugTargetEvent, StackFrame, Variable } from '@llmspell/debug'
import type { EngineOptions, ExecuteOutcome, ExecuteRequest } from '@llmspell/script'
import { type OpenEngine, openEngine, STEP_TIMEOUT_MS } from '../open-engine.ts'

export type Stop = DebugTargetEvent & { type: 'stopped' }

/** A Lua engine with a debugger attached. */
export interface DebuggedLua extends OpenEngine {
  target: DebugTarget
  events: DebugTargetEvent[]
  /** The next stop that nobody has taken yet. */
  stop(): Promise<Stop>
  breakAt(source: string, ...specs: (number | Omit<BreakpointSpec, 'id'>)[]): Promise<void>
  top(threadId?: number): Promise<StackFrame>
  /** Variables of a scope of the top frame, by name. */
  look(scope: string, threadId?: number): Promise<Record<string, Variable>>
  go(mode?: Parameters<DebugTarget['resume']>[1]): Promise<void>
  until(what: string, check: () => boolean): Promise<void>
  ended(outcome: Promise<ExecuteOutcome>): Promise<ExecuteOutcome>
}

export async function debugLua(attach: AttachOptions = {}, options?: Partial<EngineOptions>): Promise<DebuggedLua> {
  const opened = await openEngine(options)
  const target = opened.engine.debugTarget
  if (!target) throw new Error('the Lua engine has no debug target')
  const events: DebugTargetEvent[] = []
  const waiting: { check(): boolean; done(): void }[] = []
  let taken = 0
  let threadId = 1
  let nextBreakpoint = 1
  target.onEvent((event) => {
    events.push(event)
    for (const waiter of waiting.filter((candidate) => candidate.check())) {
      waiting.splice(waiting.indexOf(waiter), 1)
      waiter.done()
    }
  })
  await withTimeout(target.attach(attach), STEP_TIMEOUT_MS, 'the debugger to attach')
  const until = async (what: string, check: () => boolean): Promise<void> => {
    if (check()) return
    const { promise, resolve } = Promise.withResolvers<void>()
    waiting.push({ check, done: resolve })
    await withTimeout(promise, STEP_TIMEOUT_MS, what).catch((error: unknown) => {
      throw new Error(`${String(error)}; events: ${JSON.stringify(events)}`)
    })
  }
  const stops = (): Stop[] => events.filter((event) => event.type === 'stopped')
  const top = async (id = threadId): Promise<StackFrame> => {
    const [frame] = (await target.stackTrace(id, 0, 1)).frames
    if (!frame) throw new Error('an empty stack')
    return frame
  }
  return {
    ...opened,
    target,
    events,
    until,
    top,
    stop: async () => {
      const wanted = taken++
      await until(`stop ${wanted + 1}`, () => stops().length > wanted)
      const stop = stops()[wanted] as Stop
      threadId = stop.threadId
      return stop
    },
    breakAt: async (source, ...specs) => {
      await target.setBreakpoints(
        source,
        specs.map((spec) => ({ id: nextBreakpoint++, ...(typeof spec === 'number' ? { line: spec } : spec) })),
      )
    },
    look: async (name, id) => {
      const scopes = await target.scopes((await top(id)).id)
      const scope = scopes.find((candidate) => candidate.name === name)
      if (!scope) throw new Error(`no scope ${name} in ${scopes.map((candidate) => candidate.name).join(', ')}`)
      return Object.fromEntries((await target.variables(scope.reference, {})).map((variable) => [variable.name, variable]))
    },
    go: async (mode = 'continue') => await target.resume(threadId, mode),
    ended: (outcome) => withTimeout(outcome, STEP_TIMEOUT_MS, 'the end of the run'),
  }
}

/** A program: not a cell. */
export function program(source: string): Partial<ExecuteRequest> {
  return { source, wantResult: false }
}
