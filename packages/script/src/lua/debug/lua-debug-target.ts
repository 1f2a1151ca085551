import { type Disposable, Emitter, LlmspellError, messageOf } from '@llmspell/base'
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
import { REASON, type ToWorker } from '../protocol.ts'
import type { DebugAnswer, DebugArguments, DebugMethod, DebugNotice, DebugResult } from './debug-protocol.ts'

/** The worker, as far as a debugger talks to it. */
export interface DebugLane {
  post(message: ToWorker): void
  /** Makes running code look up. */
  raise(reason: number): void
}

/** A watch expression that takes longer is interrupted. */
const WATCH_LIMIT_MS = 5_000

interface Pending {
  resolve(value: unknown): void
  reject(error: Error): void
  /** What to answer when the engine is replaced before it has answered. */
  lost(): unknown
}

/**
 * The kernel's end of debugging one Lua namespace: passes everything to the worker, where the debugger lives, and keeps what a new
 * worker must be told.
 */
export class LuaDebugTarget implements DebugTarget {
  readonly features: DebugFeatures = {
    stepBack: true,
    restartFrame: false,
    readMemory: true,
    exceptionFilters: ['caught', 'uncaught', 'tool', 'provider'],
  }
  readonly #events = new Emitter<DebugTargetEvent>()
  readonly #pending = new Map<number, Pending>()
  readonly #breakpoints = new Map<string, readonly BreakpointSpec[]>()
  #functionBreakpoints: readonly FunctionBreakpointSpec[] = []
  #filters: readonly ExceptionFilterSpec[] = []
  #options: AttachOptions | undefined
  #lane: DebugLane | undefined
  #nextId = 1

  onEvent(listener: (event: DebugTargetEvent) => void): Disposable {
    return this.#events.on(listener)
  }

  // ---- the engine's side ----

  /** There is a worker, which may have no code yet. */
  connect(lane: DebugLane): void {
    this.#lane = lane
    if (!this.#options) return
    // Nobody waits for these answers: what they bring is told by events.
    const told = (bound: readonly BoundBreakpoint[]): void => {
      for (const breakpoint of bound) this.#events.emit({ type: 'breakpoint', breakpoint })
    }
    const asked: Promise<unknown>[] = [this.#ask('attach', [this.#options], () => undefined)]
    for (const [source, specs] of this.#breakpoints) asked.push(this.#ask('setBreakpoints', [source, specs], () => []).then(told))
    if (this.#functionBreakpoints.length > 0)
      asked.push(this.#ask('setFunctionBreakpoints', [this.#functionBreakpoints], () => []).then(told))
    if (this.#filters.length > 0) asked.push(this.#ask('setExceptionFilters', [this.#filters], () => undefined))
    for (const one of asked) one.catch((error: unknown) => this.#complain(error))
  }

  /** The worker is no more; `isLost`: another will come. */
  disconnect(isLost: boolean): void {
    this.#lane = undefined
    const pending = [...this.#pending.values()]
    this.#pending.clear()
    for (const { resolve, reject, lost } of pending) {
      try {
        resolve(lost())
      } catch (error) {
        reject(error as Error)
      }
    }
    if (isLost && this.#options) this.#events.emit({ type: 'lost' })
  }

  receive(message: DebugAnswer | DebugNotice): void {
    if (message.type === 'debugNotice') {
      if (this.#options) this.#events.emit(message.event)
      return
    }
    const pending = this.#pending.get(message.id)
    this.#pending.delete(message.id)
    if (message.error)
      pending?.reject(new LlmspellError(message.error.message, { ...message.error, code: message.error.code ?? 'debug.failed' } as never))
    else pending?.resolve(message.value)
  }

  /** Ends an evaluation that does not end by itself. */
  cancel(): void {
    if (this.#pending.size > 0) void this.#ask('cancel', [undefined], () => undefined)
  }

  // ---- the debugger's side ----

  async attach(options: AttachOptions): Promise<void> {
    this.#options = options
    if (this.#lane) await this.#ask('attach', [options], () => undefined)
  }

  async detach(): Promise<void> {
    if (!this.#options) return
    this.#breakpoints.clear()
    this.#functionBreakpoints = []
    this.#filters = []
    const answered = this.#lane && this.#ask('detach', [], () => undefined)
    this.#options = undefined
    await answered
  }

  async setBreakpoints(source: string, breakpoints: readonly BreakpointSpec[]): Promise<BoundBreakpoint[]> {
    this.#mustBeAttached()
    if (breakpoints.length > 0) this.#breakpoints.set(source, breakpoints)
    else this.#breakpoints.delete(source)
    if (!this.#lane) return unbound(breakpoints)
    return await this.#ask('setBreakpoints', [source, breakpoints], () => unbound(breakpoints))
  }

  async setFunctionBreakpoints(breakpoints: readonly FunctionBreakpointSpec[]): Promise<BoundBreakpoint[]> {
    this.#mustBeAttached()
    this.#functionBreakpoints = breakpoints
    if (!this.#lane) return unbound(breakpoints)
    return await this.#ask('setFunctionBreakpoints', [breakpoints], () => unbound(breakpoints))
  }

  async setExceptionFilters(filters: readonly ExceptionFilterSpec[]): Promise<void> {
    this.#mustBeAttached()
    this.#filters = filters
    if (this.#lane) await this.#ask('setExceptionFilters', [filters], () => undefined)
  }

  async breakpointLocations(source: string, line: number, endLine: number): Promise<{ line: number; column?: number }[]> {
    return this.#lane ? await this.#ask('breakpointLocations', [source, line, endLine], () => []) : []
  }

  async threads(): Promise<{ id: number; name: string }[]> {
    const main = [{ id: 1, name: 'main' }]
    return this.#lane ? await this.#ask('threads', [], () => main) : main
  }

  async stackTrace(threadId: number, startFrame: number, levels: number): Promise<{ frames: StackFrame[]; total?: number }> {
    return await this.#ask('stackTrace', [threadId, startFrame, levels])
  }

  async scopes(frameId: number): Promise<Scope[]> {
    return await this.#ask('scopes', [frameId])
  }

  async variables(reference: number, page: VariablesPage): Promise<Variable[]> {
    return await this.#ask('variables', [reference, page])
  }

  async setVariable(reference: number, name: string, value: string, signal?: AbortSignal): Promise<Variable> {
    return await this.#evaluation('setVariable', [reference, name, value], signal)
  }

  async evaluate(expression: string, frameId: number | undefined, context: EvaluateContext, signal?: AbortSignal): Promise<Variable> {
    // Nobody would think of stopping what shows by itself.
    return await this.#evaluation('evaluate', [expression, frameId, context], signal, context === 'repl' ? undefined : WATCH_LIMIT_MS)
  }

  async setExpression(expression: string, frameId: number | undefined, value: string, signal?: AbortSignal): Promise<Variable> {
    return await this.#evaluation('setExpression', [expression, frameId, value], signal)
  }

  async globals(): Promise<Scope> {
    return await this.#ask('globals', [])
  }

  async render(expression: string, frameId: number | undefined): Promise<RenderedValue> {
    return await this.#ask('render', [expression, frameId])
  }

  async completions(text: string, column: number, frameId: number | undefined): Promise<CompletionTarget[]> {
    return this.#lane ? await this.#ask('completions', [text, column, frameId], () => []) : []
  }

  async exceptionInfo(threadId: number): Promise<ExceptionInfo | undefined> {
    return await this.#ask('exceptionInfo', [threadId])
  }

  async readMemory(memoryReference: string, offset: number, count: number): Promise<{ data: Uint8Array; unreadable: number }> {
    return await this.#ask('readMemory', [memoryReference, offset, count])
  }

  async resume(threadId: number, mode: ResumeMode): Promise<void> {
    await this.#ask('resume', [threadId, mode])
  }

  async restartFrame(frameId: number): Promise<void> {
    await this.#ask('restartFrame', [frameId])
  }

  async pause(threadId: number): Promise<void> {
    await this.#ask('pause', [threadId], () => undefined)
  }

  async loadedSources(): Promise<string[]> {
    return this.#lane ? await this.#ask('loadedSources', [], () => []) : []
  }

  async sourceText(source: string): Promise<string | undefined> {
    return this.#lane ? await this.#ask('sourceText', [source], () => undefined) : undefined
  }

  #complain(error: unknown): void {
    const text = `the debugger could not be set up again: ${messageOf(error)}\n`
    this.#events.emit({ type: 'output', category: 'important', text })
  }

  #mustBeAttached(): void {
    if (!this.#options) throw new LlmspellError('no debugger is attached to this engine', { code: 'debug.not_attached' })
  }

  /** Code of the user, which is ended when the signal aborts or the time is over. */
  async #evaluation<M extends 'evaluate' | 'setExpression' | 'setVariable'>(
    method: M,
    args: DebugArguments<M>,
    signal: AbortSignal | undefined,
    limitMs?: number,
  ): Promise<Variable> {
    const answer = this.#ask(method, args)
    const id = this.#nextId - 1
    const end = (): void => {
      if (this.#pending.has(id)) void this.#ask('cancel', [id], () => undefined)
    }
    if (signal?.aborted) end()
    signal?.addEventListener('abort', end, { once: true })
    const limit = limitMs === undefined ? undefined : setTimeout(end, limitMs)
    try {
      return await answer
    } finally {
      clearTimeout(limit)
      signal?.removeEventListener('abort', end)
    }
  }

  #ask<M extends DebugMethod>(method: M, args: DebugArguments<M>, lost: () => DebugResult<M> = refuseLost): Promise<DebugResult<M>> {
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    const lane = this.#lane
    if (!lane) throw notRunning()
    const id = this.#nextId++
    this.#pending.set(id, { resolve, reject, lost })
    lane.post({ type: 'debug', id, method, args })
    lane.raise(REASON.MESSAGE)
    return promise as Promise<DebugResult<M>>
  }
}

function unbound(specs: readonly { id: number }[]): BoundBreakpoint[] {
  return specs.map(({ id }) => ({ id, verified: false, message: 'nothing of this name is loaded yet' }))
}

function refuseLost(): never {
  throw new LlmspellError('the engine was replaced', { code: 'debug.stale_reference' })
}

function notRunning(): LlmspellError {
  return new LlmspellError('the engine does not run', { code: 'debug.not_stopped', hint: 'Run something first.' })
}
