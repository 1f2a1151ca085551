import { LlmspellError, withTimeout } from '@llmspell/base'
import type { BreakpointSpec, DebugTarget, DebugTargetEvent, StackFrame, Variable } from '@llmspell/debug'
import type { ExecuteOutcome, ExecuteRequest } from '@llmspell/script'
import { engineUnderTest, REPLY_MS, type Setting, type UnderTest } from '../engine-under-test.ts'

export type Stopped = Extract<DebugTargetEvent, { type: 'stopped' }>

/** An engine in a real process with its debug target; the test disposes the engine. */
export interface Debugged extends UnderTest {
  target: DebugTarget
  events: DebugTargetEvent[]
  /** The next stop, from now on or not waited for yet. */
  stopped(): Promise<Stopped>
  /** Starts a cell that is expected to stop. */
  start(code: string, extra?: Partial<ExecuteRequest>): Promise<ExecuteOutcome>
  frames(): Promise<StackFrame[]>
  /** `name:line` of the frames. */
  places(): Promise<string[]>
  /** Values of a scope of the topmost frame, by name. */
  scope(name: string, frame?: number): Promise<Record<string, string>>
  expand(variable: Variable | undefined): Promise<Variable[]>
  /** Expands on the way: `a`, then `a.b`. */
  find(scope: string, ...path: string[]): Promise<Variable>
  breakAt(source: string, ...lines: (number | (Omit<BreakpointSpec, 'id'> & { id?: number }))[]): ReturnType<DebugTarget['setBreakpoints']>
  go(mode?: Parameters<DebugTarget['resume']>[1]): Promise<void>
}

export function debugged(setting: Setting = {}): Debugged {
  const under = engineUnderTest(setting)
  const target = under.engine.debugTarget as DebugTarget
  const events: DebugTargetEvent[] = []
  let seen = 0
  let changed: (() => void) | undefined
  target.onEvent((event) => {
    events.push(event)
    changed?.()
  })
  let id = 0
  const stopped: Debugged['stopped'] = async () => {
    const wait = async (): Promise<Stopped> => {
      for (;;) {
        while (seen < events.length) {
          const event = events[seen++] as DebugTargetEvent
          if (event.type === 'stopped') return event
        }
        await new Promise<void>((resolve) => {
          changed = resolve
        })
      }
    }
    return await withTimeout(wait(), REPLY_MS, 'a stop')
  }
  const frames: Debugged['frames'] = async () => (await target.stackTrace(1, 0, 0)).frames
  const scopeOf = async (name: string, frame = 0) => {
    const top = (await frames())[frame] as StackFrame
    const scopes = await target.scopes(top.id)
    const found = scopes.find((one) => one.name === name)
    if (!found) throw new LlmspellError(`no scope ${name} among ${scopes.map((one) => one.name).join(', ')}`, { code: 'test' })
    return found
  }
  const expand: Debugged['expand'] = async (variable) => await target.variables(variable?.reference ?? 0, {})
  return {
    ...under,
    target,
    events,
    stopped,
    frames,
    expand,
    start: (code, extra) => under.run(code, extra),
    places: async () => (await frames()).map((frame) => (frame.hint === 'label' ? `-- ${frame.name}` : `${frame.name}:${frame.line}`)),
    scope: async (name, frame) =>
      Object.fromEntries((await target.variables((await scopeOf(name, frame)).reference, {})).map((one) => [one.name, one.value])),
    async find(scope, ...path) {
      let variables = await target.variables((await scopeOf(scope)).reference, {})
      let variable: Variable | undefined
      for (const name of path) {
        variable = variables.find((one) => one.name === name)
        if (!variable) throw new LlmspellError(`no ${name} among ${variables.map((one) => one.name).join(', ')}`, { code: 'test' })
        if (name !== path.at(-1)) variables = await expand(variable)
      }
      return variable as Variable
    },
    breakAt: (source, ...lines) =>
      target.setBreakpoints(
        source,
        lines.map((one) => (typeof one === 'number' ? { id: ++id, line: one } : { id: ++id, ...one })),
      ),
    go: async (mode = 'continue') => await target.resume(1, mode),
  }
}
