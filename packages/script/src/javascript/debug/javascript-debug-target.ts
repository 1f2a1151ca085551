import { type Disposable, Emitter, LlmspellError } from '@llmspell/base'
import type {
  AttachOptions,
  BoundBreakpoint,
  BreakpointSpec,
  CompletionTarget,
  DebugFeatures,
  DebugTarget,
  DebugTargetEvent,
  EvaluateContext,
  ExceptionFilterSpec,
  ExceptionInfo,
  FunctionBreakpointSpec,
  RenderedValue,
  ResumeMode,
  Scope,
  StackFrame,
  Variable,
  VariablesPage,
} from '@llmspell/debug'
import type { DebugMethod } from '../wire.ts'

/** Asks the guard of the engine process; undefined: there is no process. An answer without a value: it has ended in the meantime. */
export type DebugLane = (command: DebugMethod, args: readonly unknown[]) => Promise<{ value: unknown } | undefined>

/** JavaScript and TypeScript for a debugger. The guard does the work; what was asked for is kept here, for the processes to come. */
export class JavascriptDebugTarget implements DebugTarget {
  readonly features: DebugFeatures = {
    stepBack: false,
    restartFrame: true,
    readMemory: true,
    exceptionFilters: ['caught', 'uncaught', 'tool', 'provider'],
  }
  readonly #lane: DebugLane
  readonly #events = new Emitter<DebugTargetEvent>()
  #attached = false
  #stopOnEntry = false
  readonly #breakpoints = new Map<string, readonly BreakpointSpec[]>()
  #functions: readonly FunctionBreakpointSpec[] = []
  #filters: readonly ExceptionFilterSpec[] = []
  /** Events are told one after another, and after the answers that came before them. */
  #telling: Promise<unknown> = Promise.resolve()

  constructor(lane: DebugLane) {
    this.#lane = lane
  }

  get attached(): boolean {
    return this.#attached
  }

  /** Resolves when everything has been told that the script has set going. */
  async settle(): Promise<void> {
    await this.#lane('settle', []).catch(() => {})
    await this.#telling
  }

  onEvent(listener: (event: DebugTargetEvent) => void): Disposable {
    return this.#events.on(listener)
  }

  async attach(options: AttachOptions): Promise<void> {
    this.#attached = true
    this.#stopOnEntry = options.stopOnEntry === true
    await this.#lane('attach', [options])
  }

  async detach(): Promise<void> {
    this.#attached = false
    this.#breakpoints.clear()
    this.#functions = []
    this.#filters = []
    await this.#lane('detach', [])
  }

  async setBreakpoints(source: string, breakpoints: readonly BreakpointSpec[]): Promise<BoundBreakpoint[]> {
    this.#check()
    if (breakpoints.length > 0) this.#breakpoints.set(source, breakpoints)
    else this.#breakpoints.delete(source)
    return await this.#settle('setBreakpoints', [source, breakpoints], breakpoints)
  }

  async setFunctionBreakpoints(breakpoints: readonly FunctionBreakpointSpec[]): Promise<BoundBreakpoint[]> {
    this.#check()
    this.#functions = breakpoints
    return await this.#settle('setFunctionBreakpoints', [breakpoints], breakpoints)
  }

  async setExceptionFilters(filters: readonly ExceptionFilterSpec[]): Promise<void> {
    this.#check()
    this.#filters = filters
    await this.#lane('setExceptionFilters', [filters])
  }

  async breakpointLocations(source: string, line: number, endLine: number): Promise<{ line: number; column?: number }[]> {
    return (await this.#ask<{ line: number; column?: number }[]>('breakpointLocations', [source, line, endLine], true)) ?? []
  }

  async threads(): Promise<{ id: number; name: string }[]> {
    return [{ id: 1, name: 'main' }]
  }

  async stackTrace(threadId: number, startFrame: number, levels: number): Promise<{ frames: StackFrame[]; total?: number }> {
    return await this.#ask('stackTrace', [threadId, startFrame, levels])
  }

  async scopes(frameId: number): Promise<Scope[]> {
    return await this.#ask('scopes', [frameId])
  }

  async variables(reference: number, page: VariablesPage): Promise<Variable[]> {
    return await this.#look('variables', [reference, page])
  }

  async setVariable(reference: number, name: string, value: string): Promise<Variable> {
    return await this.#value('setVariable', [reference, name, value])
  }

  async evaluate(expression: string, frameId: number | undefined, context: EvaluateContext): Promise<Variable> {
    return await this.#value('evaluate', [expression, frameId, context])
  }

  async setExpression(expression: string, frameId: number | undefined, value: string): Promise<Variable> {
    return await this.#value('setExpression', [expression, frameId, value])
  }

  async globals(): Promise<Scope> {
    return await this.#look('globals', [])
  }

  async render(expression: string, frameId: number | undefined): Promise<RenderedValue> {
    return await this.#look('render', [expression, frameId])
  }

  async completions(text: string, column: number, frameId: number | undefined): Promise<CompletionTarget[]> {
    return await this.#look('completions', [text, column, frameId])
  }

  async exceptionInfo(threadId: number): Promise<ExceptionInfo | undefined> {
    return await this.#ask('exceptionInfo', [threadId])
  }

  async readMemory(memoryReference: string, offset: number, count: number): Promise<{ data: Uint8Array; unreadable: number }> {
    const { data, unreadable } = await this.#look<{ data: string; unreadable: number }>('readMemory', [memoryReference, offset, count])
    return { data: new Uint8Array(Buffer.from(data, 'hex')), unreadable }
  }

  async resume(threadId: number, mode: ResumeMode): Promise<void> {
    await this.#ask('resume', [threadId, mode])
  }

  async restartFrame(frameId: number): Promise<void> {
    await this.#ask('restartFrame', [frameId])
  }

  async pause(threadId: number): Promise<void> {
    await this.#ask('pause', [threadId])
  }

  async loadedSources(): Promise<string[]> {
    return (await this.#ask<string[]>('loadedSources', [], true)) ?? []
  }

  async sourceText(source: string): Promise<string | undefined> {
    return await this.#ask('sourceText', [source], true)
  }

  /** A process has been started, and has not run anything. */
  onProcess(): void {
    if (!this.#attached) return
    const asked = [
      this.#lane('attach', [{ stopOnEntry: this.#stopOnEntry }]),
      ...[...this.#breakpoints].map(([source, specs]) => this.#lane('setBreakpoints', [source, specs])),
      ...(this.#functions.length > 0 ? [this.#lane('setFunctionBreakpoints', [this.#functions])] : []),
      ...(this.#filters.length > 0 ? [this.#lane('setExceptionFilters', [this.#filters])] : []),
    ]
    for (const one of asked) one.catch((error: unknown) => this.#complain(error))
  }

  /** The process has ended. */
  onLost(): void {
    if (this.#attached) this.onTargetEvent({ type: 'lost' })
  }

  /** From the guard; told when `after` has happened. */
  onTargetEvent(event: DebugTargetEvent, after?: Promise<void>): void {
    this.#telling = this.#telling.then(async () => {
      await after
      // The answers that came before it are being handed out.
      await new Promise((resolve) => setImmediate(resolve))
      if (event.type === 'stopped' && event.reason === 'entry') this.#stopOnEntry = false
      this.#events.emit(event)
    })
  }

  #complain(error: unknown): void {
    const text = `the debugger could not be set up again: ${error instanceof Error ? error.message : String(error)}\n`
    this.onTargetEvent({ type: 'output', category: 'important', text })
  }

  #check(): void {
    if (!this.#attached) throw new LlmspellError('no debugger is attached to this engine', { code: 'debug.not_attached' })
  }

  async #settle(command: DebugMethod, args: readonly unknown[], specs: readonly { id: number }[]): Promise<BoundBreakpoint[]> {
    const answer = (await this.#lane(command, args))?.value as BoundBreakpoint[] | undefined
    return answer ?? specs.map(({ id }) => ({ id, verified: false, message: 'not loaded yet; it binds when the code is loaded' }))
  }

  /** For what needs an attached debugger. */
  async #ask<T>(command: DebugMethod, args: readonly unknown[], optional = false): Promise<T> {
    this.#check()
    return await this.#look(command, args, optional)
  }

  /** What code of the user gives: it may have ended the process. */
  async #value(command: DebugMethod, args: readonly unknown[]): Promise<Variable> {
    const value = await this.#look<Variable | undefined>(command, args)
    if (!value) throw new LlmspellError('the engine process has ended', { code: 'debug.evaluation_failed' })
    return value
  }

  async #look<T>(command: DebugMethod, args: readonly unknown[], optional = false): Promise<T> {
    const answer = await this.#lane(command, args)
    if (!answer && !optional) throw new LlmspellError('the engine runs nothing now', { code: 'debug.not_stopped' })
    return answer?.value as T
  }
}
