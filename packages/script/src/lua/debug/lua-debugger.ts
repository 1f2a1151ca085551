import type { AttachOptions, BoundBreakpoint, BreakpointSpec, DebugTargetEvent, Scope, StackFrame, Variable } from '@llmspell/debug'
import { type EventResult, type Frame, type LuaEvent, LuaInspector, type Variable as LuaVariable, type LuaVM } from '@llmspell/lua'
import type { FromWorker, WireError } from '../protocol.ts'
import { chunkNameOf, OWN_CHUNK } from '../script-errors.ts'
import type { DebugMethod, DebugRequest } from './debug-protocol.ts'

export interface DebuggerServices {
  readonly vm: LuaVM
  post(message: FromWorker): void
  /** Sends output that waits. */
  flush(): void
  isInterrupted(): boolean
  /** Blocks until it is over; meanwhile everything that arrives is answered. */
  wait(isOver: () => boolean): void
}

const MAIN_THREAD = 1

type Handle = { kind: 'locals' | 'upvalues'; frame: Frame } | { kind: 'globals' } | { kind: 'value'; reference: number }

/** The debugger of one Lua namespace, in its worker. */
export class LuaDebugger {
  readonly #services: DebuggerServices
  readonly #inspector: LuaInspector
  readonly #breakpoints = new Map<string, readonly BreakpointSpec[]>()
  #stopped: LuaEvent | undefined
  #handles: Handle[] = []
  #frames: Frame[] = []
  #pausing = false

  constructor(services: DebuggerServices) {
    this.#services = services
    this.#inspector = new LuaInspector(services.vm)
  }

  /** Answers one request, wherever the script is. */
  answer({ id, method, args }: DebugRequest): void {
    try {
      const handler = this.#handlers[method]
      if (!handler) throw refusal('debug.not_supported', `Lua has no ${method}`)
      const value = handler(...(args as never[]))
      this.#services.post({ type: 'debugAnswer', id, value })
    } catch (error) {
      this.#services.post({ type: 'debugAnswer', id, error: toWireError(error) })
    }
  }

  /** Something has been met; stands still there as long as the user likes. */
  stopAt(event: LuaEvent): EventResult {
    const name = this.#inspector.stack(event.thread, 0, 1)[0]?.source ?? ''
    if (name === `=${OWN_CHUNK}`) return 'continue'
    if (event.kind === 'breakpoint') {
      const hit = this.#breakpoints.get(sourceOf(name))?.filter((breakpoint) => breakpoint.line === event.line) ?? []
      return this.#stop(event, { type: 'stopped', threadId: MAIN_THREAD, reason: 'breakpoint', breakpointIds: hit.map(({ id }) => id) })
    }
    return this.#stop(event, { type: 'stopped', threadId: MAIN_THREAD, reason: this.#pausing ? 'pause' : 'step' })
  }

  /** Running code looks up; what had arrived is answered already. */
  attention(event: LuaEvent): EventResult {
    if (this.#pausing) this.#services.vm.step(event.thread, 'in')
    return 'continue'
  }

  #stop(event: LuaEvent, notice: DebugTargetEvent): EventResult {
    const { vm, flush, isInterrupted, wait } = this.#services
    this.#pausing = false
    this.#stopped = event
    vm.step(event.thread, 'run')
    flush()
    this.#tell(notice)
    wait(() => this.#stopped === undefined || isInterrupted())
    const isOver = this.#stopped === undefined
    this.#goOn()
    if (isOver && !isInterrupted()) return 'continue'
    this.#tell({ type: 'continued', threadId: MAIN_THREAD })
    return 'interrupt'
  }

  #goOn(): void {
    this.#stopped = undefined
    this.#handles = []
    this.#frames = []
    this.#inspector.clear()
  }

  #tell(event: DebugTargetEvent): void {
    this.#services.post({ type: 'debugNotice', event })
  }

  readonly #handlers: Partial<Record<DebugMethod, (...args: never[]) => unknown>> = {
    attach: (_options: AttachOptions) => undefined,
    detach: () => {
      for (const source of this.#breakpoints.keys()) this.#services.vm.setBreakpoints(chunkNameOf(source), [])
      this.#breakpoints.clear()
      this.#stopped = undefined
    },
    setBreakpoints: (source: string, specs: readonly BreakpointSpec[]) => this.#setBreakpoints(source, specs),
    setFunctionBreakpoints: () => [],
    setExceptionFilters: () => undefined,
    breakpointLocations: (source: string, line: number, endLine: number) =>
      this.#lines(source)
        .filter((at) => at >= line && at <= endLine)
        .map((at) => ({ line: at })),
    threads: () => [{ id: MAIN_THREAD, name: 'main' }],
    stackTrace: (_thread: number, first: number, levels: number) => this.#stackTrace(first, levels),
    scopes: (frame: number) => this.#scopes(frame),
    variables: (reference: number, page: { start?: number; count?: number }) => this.#variables(reference, page.start, page.count),
    evaluate: (expression: string, frameId: number | undefined) => {
      const result = this.#inspector.evaluate(expression, frameId === undefined ? undefined : this.#frame(frameId))
      if (!result.ok) throw refusal('debug.evaluation_failed', result.error)
      return this.#toVariable({ ...result.variable, value: result.value })
    },
    exceptionInfo: () => undefined,
    resume: (_thread: number, mode: 'continue' | 'next' | 'stepIn' | 'stepOut') => {
      const event = this.#mustStand()
      const step = { continue: 'run', next: 'over', stepIn: 'in', stepOut: 'out' } as const
      this.#services.vm.step(event.thread, step[mode])
      this.#stopped = undefined
    },
    pause: () => {
      this.#pausing = true
    },
    loadedSources: () => [],
    sourceText: () => undefined,
    completions: () => [],
  }

  #setBreakpoints(source: string, specs: readonly BreakpointSpec[]): BoundBreakpoint[] {
    const lines = this.#lines(source)
    const bound = specs.map((spec) => ({ ...spec, line: lines.find((line) => line >= spec.line) ?? spec.line }))
    this.#breakpoints.set(source, bound)
    const wanted = bound.map(({ line }) => line)
    this.#services.vm.setBreakpoints(chunkNameOf(source), wanted)
    return bound.map(({ id, line }) => ({ id, verified: lines.includes(line), line }))
  }

  #lines(source: string): number[] {
    return this.#services.vm.breakableLines(chunkNameOf(source))
  }

  #stackTrace(first: number, levels: number): { frames: StackFrame[]; total: number } {
    const { thread } = this.#mustStand()
    const frames: StackFrame[] = []
    for (const pointer of this.#services.vm.threadChain(thread)) {
      for (const entry of this.#inspector.stack(pointer)) {
        if (entry.source === `=${OWN_CHUNK}`) continue
        const isNative = entry.what === 'C'
        const id = this.#frames.push({ thread: pointer, level: entry.level })
        frames.push({
          id,
          name: entry.name,
          line: Math.max(entry.line, 0),
          column: 1,
          ...(isNative ? { hint: 'subtle' } : { source: sourceOf(entry.source) }),
        })
      }
    }
    while (frames.at(-1)?.hint === 'subtle') frames.pop()
    return { frames: frames.slice(first, levels === 0 ? undefined : first + levels), total: frames.length }
  }

  #scopes(frameId: number): Scope[] {
    const frame = this.#frame(frameId)
    return [
      { name: 'Locals', hint: 'locals', reference: this.#handles.push({ kind: 'locals', frame }), expensive: false },
      { name: 'Upvalues', reference: this.#handles.push({ kind: 'upvalues', frame }), expensive: false },
      { name: 'Globals', hint: 'globals', reference: this.#handles.push({ kind: 'globals' }), expensive: true },
    ]
  }

  #variables(reference: number, start?: number, count?: number): Variable[] {
    const handle = this.#handles[reference - 1]
    if (!handle) throw refusal('debug.stale_reference', 'these variables are gone: the script went on')
    return this.#read(handle, start, count).map((variable) => this.#toVariable(variable))
  }

  #read(handle: Handle, start?: number, count?: number): LuaVariable[] {
    switch (handle.kind) {
      case 'locals':
        return this.#inspector.locals(handle.frame)
      case 'upvalues':
        return this.#inspector.upvalues(handle.frame)
      case 'globals':
        return this.#inspector.globals(start, count)
      case 'value':
        return this.#inspector.expand(handle.reference, start, count)
    }
  }

  #toVariable({ name, value, type, reference }: LuaVariable): Variable {
    return { name, value, type, reference: reference === 0 ? 0 : this.#handles.push({ kind: 'value', reference }) }
  }

  #frame(id: number): Frame {
    const frame = this.#frames[id - 1]
    if (!frame) throw refusal('debug.stale_reference', 'this frame is gone: the script went on')
    return frame
  }

  #mustStand(): LuaEvent {
    if (!this.#stopped) throw refusal('debug.not_stopped', 'the script runs')
    return this.#stopped
  }
}

function sourceOf(chunkName: string): string {
  return chunkName.slice(1)
}

function refusal(code: string, message: string): Error & { code: string } {
  return Object.assign(new Error(message), { code })
}

function toWireError(error: unknown): WireError {
  const { message, code } = error as Error & { code?: string }
  return { message, code: typeof code === 'string' ? code : 'debug.failed' }
}
