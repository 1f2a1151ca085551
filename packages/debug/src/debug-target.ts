import type { Disposable } from '@llmspell/base'

/**
 * What an engine offers a debugger: one namespace of one engine (Lua, or JavaScript and TypeScript). Contract suite:
 * `@llmspell/debug/testing` `describeDebugTarget`.
 *
 * Lines and columns are 1-based, columns in UTF-16 units. A source is the string that executions were given as `debugSource`, else
 * `source`: an absolute path for files. Everything answers while the script runs, while it stands still, and while it waits in a host
 * call. References (frames, variables, memory) are valid until the thread they came from goes on; one that is not is refused with code
 * `debug.stale_reference`. What needs a thread that stands still is refused with `debug.not_stopped` while it runs.
 */
export interface DebugTarget {
  /** A feature is listed only when its test passes. */
  readonly features: DebugFeatures
  /** Events come in order, and never before the answer of the request that caused them. */
  onEvent(listener: (event: DebugTargetEvent) => void): Disposable

  /** Debugging on. Code that holds no breakpoint keeps its speed. Also before the engine has started. Idempotent; options of the last call hold. */
  attach(options: AttachOptions): Promise<void>
  /** Breakpoints and filters are gone, a script that stands still goes on. Idempotent; safe after the engine was lost. */
  detach(): Promise<void>

  /** Replaces the breakpoints of one source; answers in the order given. Those of sources not loaded yet bind later, with an event. */
  setBreakpoints(source: string, breakpoints: readonly BreakpointSpec[]): Promise<BoundBreakpoint[]>
  setFunctionBreakpoints(breakpoints: readonly FunctionBreakpointSpec[]): Promise<BoundBreakpoint[]>
  setExceptionFilters(filters: readonly ExceptionFilterSpec[]): Promise<void>
  /** Where in these lines of a loaded source a breakpoint would bind; empty when the source is not loaded. */
  breakpointLocations(source: string, line: number, endLine: number): Promise<{ line: number; column?: number }[]>

  threads(): Promise<{ id: number; name: string }[]>
  /** `levels` 0: all from `startFrame` on. */
  stackTrace(threadId: number, startFrame: number, levels: number): Promise<{ frames: StackFrame[]; total?: number }>
  scopes(frameId: number): Promise<Scope[]>
  /** Without `count` everything from `start` on, but never more than 10 000 at once. */
  variables(reference: number, page: VariablesPage): Promise<Variable[]>
  /** `value` is an expression of the language. Answers what the variable holds then. `signal` as that of `evaluate`. */
  setVariable(reference: number, name: string, value: string, signal?: AbortSignal): Promise<Variable>
  /**
   * Without a frame in the namespace's globals. `hover` never changes anything: what might is refused. Errors of the expression reject
   * with `debug.evaluation_failed`. Code that does not end by itself is ended when the signal aborts, by `pause`, or by the engine after a
   * few seconds.
   */
  evaluate(expression: string, frameId: number | undefined, context: EvaluateContext, signal?: AbortSignal): Promise<Variable>
  setExpression(expression: string, frameId: number | undefined, value: string, signal?: AbortSignal): Promise<Variable>
  /** What scripts made in the namespace, not what they found there. Also without `attach`. */
  globals(): Promise<Scope>
  /** A value as the result of a cell would show it. Absent: shown as text. Errors as those of `evaluate`. */
  render?(expression: string, frameId: number | undefined): Promise<RenderedValue>
  /** `column` is 0-based, in UTF-16 units. */
  completions(text: string, column: number, frameId: number | undefined): Promise<CompletionTarget[]>
  exceptionInfo(threadId: number): Promise<ExceptionInfo | undefined>
  /** Bytes of a `memoryReference`. Past its end: fewer than asked for. */
  readMemory(memoryReference: string, offset: number, count: number): Promise<{ data: Uint8Array; unreadable: number }>

  resume(threadId: number, mode: ResumeMode): Promise<void>
  restartFrame(frameId: number): Promise<void>
  /** Stops running code at its next safe point, with a `stopped` event of reason `pause`; code that waits stops when it goes on. */
  pause(threadId: number): Promise<void>

  loadedSources(): Promise<string[]>
  /** Text of a source that is no file (cells, evaluated code). */
  sourceText(source: string): Promise<string | undefined>
}

export interface DebugFeatures {
  readonly stepBack: boolean
  readonly restartFrame: boolean
  readonly readMemory: boolean
  readonly exceptionFilters: readonly ExceptionFilter[]
}

/** `tool` and `provider`: errors of host calls of these kinds; where no host function of the kind exists, nothing stops. */
export type ExceptionFilter = 'caught' | 'uncaught' | 'tool' | 'provider'

export interface AttachOptions {
  /** Stop before the first line of the next execution, with reason `entry`. */
  stopOnEntry?: boolean
  /** Keep a bounded history of states for `stepBack` and `reverseContinue`, where the engine can. Costs time and memory. */
  recordHistory?: boolean
}

export interface BreakpointSpec {
  /** Chosen by the caller; unique over the target, kept over re-binding. */
  id: number
  line: number
  column?: number
  /** Expression of the language: stops when it is true. One that fails stops, too, and says why (an `output` event). */
  condition?: string
  /** `5` and `== 5`: the fifth hit; `>= 5`, `> 5`, `<= 5`, `< 5`; `% 5`: each fifth. */
  hitCondition?: string
  /** Prints (an `output` event) instead of stopping; what stands in `{…}` is evaluated. */
  logMessage?: string
}

export interface FunctionBreakpointSpec {
  id: number
  /** As called: `name`, `table.name`, `object:method`, `Class.method`. */
  name: string
  condition?: string
  hitCondition?: string
}

export interface BoundBreakpoint {
  id: number
  verified: boolean
  /** Why it is not verified, or what was adjusted. */
  message?: string
  /** Where it really is. */
  line?: number
  column?: number
}

export interface ExceptionFilterSpec {
  filter: ExceptionFilter
  condition?: string
}

export type EvaluateContext = 'watch' | 'hover' | 'repl' | 'clipboard' | 'variables'

export type ResumeMode = 'continue' | 'next' | 'stepIn' | 'stepOut' | 'stepBack' | 'reverseContinue'

export interface VariablesPage {
  filter?: 'indexed' | 'named'
  start?: number
  count?: number
}

export interface StackFrame {
  id: number
  name: string
  source?: string
  /** 0: not known. */
  line: number
  column: number
  endLine?: number
  /** `subtle`: of a library or a native function; `label`: not a frame but a mark, such as that of an `await`. */
  hint?: 'normal' | 'label' | 'subtle'
  canRestart?: boolean
}

export interface Scope {
  name: string
  hint?: 'arguments' | 'locals' | 'globals'
  reference: number
  named?: number
  indexed?: number
  /** Large or slow: shown only when opened. */
  expensive: boolean
}

export interface Variable {
  name: string
  /** One line, bounded; long strings are cut with a mark. */
  value: string
  type?: string
  /** 0: nothing inside. */
  reference: number
  named?: number
  indexed?: number
  /** An expression that gives this value again in its frame. */
  evaluateName?: string
  memoryReference?: string
  hint?: { kind?: string; attributes?: string[]; lazy?: boolean }
}

/** A Jupyter MIME bundle and its metadata. */
export interface RenderedValue {
  data: Record<string, unknown>
  metadata: Record<string, unknown>
}

export interface CompletionTarget {
  label: string
  /** A DAP CompletionItemType: `function`, `property`, `variable`, `keyword`, `module`… */
  type?: string
  detail?: string
  /** What it replaces: 0-based, in UTF-16 units of the text. */
  start: number
  length: number
}

export interface ExceptionInfo {
  /** Name of the error (`TypeError`, `LuaError`). */
  id: string
  description: string
  /** True: nothing will catch it. */
  uncaught: boolean
  stack?: string
}

export type StopReason = 'entry' | 'breakpoint' | 'function breakpoint' | 'step' | 'pause' | 'exception' | 'debugger statement'

export type DebugTargetEvent =
  | { type: 'stopped'; threadId: number; reason: StopReason; breakpointIds?: number[]; text?: string }
  /** It goes on for another reason than `resume`: an interrupt, a detach, the end of a step that met none. */
  | { type: 'continued'; threadId: number }
  | { type: 'breakpoint'; breakpoint: BoundBreakpoint }
  | { type: 'source'; source: string }
  | { type: 'thread'; threadId: number; reason: 'started' | 'exited' }
  /** Text of log points, and what is to be known about breakpoints (`important`). */
  | { type: 'output'; category: 'console' | 'important'; text: string; source?: string; line?: number }
  /** The engine was replaced: references are dead, breakpoints stay and bind again by themselves. */
  | { type: 'lost' }
