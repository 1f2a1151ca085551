import type {
  AttachOptions,
  BreakpointSpec,
  DebugTargetEvent,
  EvaluateContext,
  ExceptionFilterSpec,
  ExceptionInfo,
  FunctionBreakpointSpec,
  ResumeMode,
  StackFrame,
  StopReason,
  VariablesPage,
} from '@llmspell/debug'
import {
  type EventResult,
  type HostFunction,
  type LuaEvent,
  type LuaFunction,
  LuaHistory,
  type LuaInspector,
  LuaProbe,
  type LuaVM,
  type StepMode,
  type ThreadPointer,
} from '@llmspell/lua'
import type { FromWorker } from '../protocol.ts'
import type { LuaSources } from '../sources.ts'
import { Breakpoints } from './breakpoints.ts'
import type { DebugMethod, DebugRequest } from './debug-protocol.ts'
import { Evaluations } from './evaluations.ts'
import { type Chain, ProgramView } from './program-view.ts'
import { type Moment, type Outcome, Recorder } from './recorder.ts'
import { isLuaError, Refusal, toWireError } from './refusal.ts'
import { MAIN_THREAD, Threads } from './threads.ts'

/** What the debugger needs of its namespace. */
export interface DebuggerServices {
  readonly vm: LuaVM
  readonly inspector: LuaInspector
  readonly sources: LuaSources
  /** (name, value) → is it a global that scripts find? */
  readonly isBuiltin: LuaFunction
  /** A value as a MIME bundle. */
  readonly bundle: LuaFunction
  /** Bytes of history that may be kept. */
  readonly historyLimit: number
  toBundle(value: unknown): Record<string, unknown>
  /** What kind of function of the kernel has failed just now, if one has; asked once, forgotten. */
  takeFailedCall(): 'tool' | 'provider' | undefined
  post(message: FromWorker): void
  /** Sends output that waits. */
  flush(): void
  isInterrupted(): boolean
  /** Code of the user runs, whether it began under the debugger or before it came. */
  isRunning(): boolean
  /** Blocks until it is over; meanwhile everything that arrives is answered. */
  wait(isOver: () => boolean): void
}

interface Stop {
  readonly event: LuaEvent
  readonly chain: Chain
  readonly exception?: ExceptionInfo
}

interface StopNotice {
  reason: StopReason
  breakpointIds?: number[]
  text?: string
  exception?: ExceptionInfo
}

const STEPS: Record<Exclude<ResumeMode, 'stepBack' | 'reverseContinue'>, StepMode> = {
  continue: 'run',
  next: 'over',
  stepIn: 'in',
  stepOut: 'out',
}

/** Whoever asks for one of these does not want to wait for code that is being evaluated. */
const ENDS_EVALUATION: ReadonlySet<DebugMethod> = new Set(['detach', 'pause'])

/** They run code of the user. */
const EVALUATES: ReadonlySet<DebugMethod> = new Set(['evaluate', 'setVariable', 'setExpression', 'render'])

type Handlers = { [M in DebugMethod]: (...args: never[]) => unknown }

/**
 * The debugger of one Lua namespace, in its worker. Requests are answered one after the other wherever the script is: it runs and looks
 * up, stands still, waits for the kernel, or there is none.
 */
export class LuaDebugger {
  readonly #services: DebuggerServices
  readonly #vm: LuaVM
  readonly #probe: LuaProbe
  readonly #threads: Threads
  readonly #view: ProgramView
  readonly #breakpoints: Breakpoints
  readonly #recorder: Recorder
  readonly #evaluations: Evaluations
  readonly #said = new Set<string>()
  readonly #told = new Set<number>()
  /** Requests that came in the midst of another's work. */
  readonly #later: DebugRequest[] = []
  #answering: number | undefined
  #busy = false
  /** An interrupt is for the code that comes after what is being done. */
  #shielded = false
  #isAttached = false
  #recordNext = false
  #isRecording = false
  #filters: readonly ExceptionFilterSpec[] = []
  #stop: Stop | undefined
  /** What the next step's end is called; undefined: no step is under way. */
  #stepReason: StopReason | undefined
  /** For the next run. */
  #atStart: 'entry' | 'pause' | undefined

  constructor(services: DebuggerServices) {
    const { vm, inspector, sources, isBuiltin } = services
    const tell = (event: DebugTargetEvent): void => this.#tell(event)
    this.#services = services
    this.#vm = vm
    this.#probe = new LuaProbe(vm, inspector, isBuiltin)
    this.#threads = new Threads(vm, this.#probe, sources)
    this.#view = new ProgramView(this.#probe, sources)
    this.#evaluations = new Evaluations({ ...services, probe: this.#probe, view: this.#view })
    this.#breakpoints = new Breakpoints({ vm, probe: this.#probe, sources, tell })
    this.#recorder = new Recorder({
      vm,
      history: new LuaHistory<Moment>(vm, services.historyLimit),
      limit: services.historyLimit,
      meet: (event, chain) => this.#meet(event, chain, false),
      standAt: ({ event, chain }, ids) =>
        this.#standStill(event, chain, ids.length > 0 ? { reason: 'breakpoint', breakpointIds: [...ids] } : { reason: 'step' }),
      restored: () => this.#restored(),
      breakpointsAt: ({ event }) => this.#breakpoints.wouldStop(event.origin, event.line, { thread: event.thread, level: 0 }),
      hasBreakpoint: ({ event }) => this.#breakpoints.hasAny(event.origin, event.line),
      say: (text) => this.#say(text),
    })
  }

  // ---- what the namespace calls ----

  answer(request: DebugRequest): void {
    if (request.method === 'cancel') this.#cancel(request.args[0] as number | undefined)
    else if (ENDS_EVALUATION.has(request.method)) this.#evaluations.cancel()
    if (this.#busy) this.#later.push(request)
    else this.#answer(request)
  }

  /** Runs code of the user under the debugger. */
  run(callee: LuaFunction | HostFunction, args: readonly unknown[]): unknown[] {
    if (!this.#isAttached) return this.#vm.call(callee, args)
    this.#view.clear()
    this.#isRecording = this.#recordNext
    if (this.#atStart) this.#stepFrom(this.#vm.mainThread, 'in', this.#atStart)
    this.#atStart = undefined
    return this.#isRecording ? this.#recorder.run(callee, args) : this.#vm.call(callee, args)
  }

  /** Also after code that ran before anybody debugged. */
  ran(): void {
    this.#isRecording = false
    this.#threads.standIn = undefined
    if (!this.#isAttached) return
    this.#view.clear()
    const reason = this.#stepReason
    this.#stepFrom(this.#vm.mainThread, 'run', undefined)
    if (reason === 'step') this.#tell({ type: 'continued', threadId: MAIN_THREAD })
    this.#breakpoints.lookForFunctions()
  }

  /** Something was met: stands still there as long as the user likes. */
  met(event: LuaEvent): EventResult {
    if (event.kind === 'loaded') return this.#loaded(event.origin)
    if (!this.#isAttached || this.#busy) return 'continue'
    const chain = this.#vm.threadChain(event.thread)
    if (this.#isRecording) {
      this.#threads.standIn = this.#recorder.standInOf(chain)
      if (this.#recorder.keeps(event)) return this.#recorder.suspend(event, chain)
    }
    const outcome = this.#meet(event, chain, true)
    return outcome === 'travel' ? 'interrupt-hard' : outcome
  }

  /** Running code looks up; what had arrived is answered already. */
  attention(event: LuaEvent): EventResult {
    const isInterrupted = this.#services.isInterrupted()
    if (this.#evaluations.isActive) return this.#evaluations.attention()
    if (isInterrupted) return this.#shielded ? 'continue' : 'interrupt'
    if (this.#stepReason === 'pause') this.#vm.debugging.step(event.thread, 'in')
    return 'continue'
  }

  // ---- stopping ----

  /** `isInside`: of the event, and not suspended by it. */
  #meet(event: LuaEvent, chain: Chain, isInside: boolean): Outcome {
    const notice = this.#working(() => this.#evaluations.guard(() => this.#lookAt(event, chain)))
    // Came while a condition was evaluated; it may be that nobody debugs any more.
    this.#next()
    if (!notice || !this.#isAttached) return 'continue'
    if (this.#isRecording && isInside) this.#recorder.standsUnrecorded(event)
    return this.#standStill(event, chain, notice)
  }

  /** Without memory, or when everything is being stopped, nothing can be looked at. */
  #lookAt(event: LuaEvent, chain: Chain): StopNotice | undefined {
    try {
      return this.#reasonFor(event, chain)
    } catch (error) {
      if (!isLuaError(error)) throw error
      if (!this.#services.isInterrupted() && !this.#evaluations.isCancelled)
        this.#say(`The debugger could not look at the script: ${error.message}\n`)
      return undefined
    }
  }

  #reasonFor(event: LuaEvent, chain: Chain): StopNotice | undefined {
    if (event.kind === 'exception') return this.#exceptionFor(event, chain)
    const hit = event.kind === 'breakpoint' ? this.#breakpoints.meet(event) : undefined
    if (hit) return { reason: hit.isFunction ? 'function breakpoint' : 'breakpoint', breakpointIds: hit.ids }
    return event.stepEnds ? { reason: this.#stepReason ?? 'step' } : undefined
  }

  #exceptionFor(event: LuaEvent, chain: Chain): StopNotice | undefined {
    const kind = this.#services.takeFailedCall()
    const threads = this.#threads.standIn === undefined ? chain : chain.slice(0, -1)
    const uncaught = !this.#probe.isCaught(threads)
    const thrown = this.#probe.thrown(event.thread)
    const met = this.#filters.some(({ filter, condition }) => {
      const applies = filter === kind || filter === (uncaught ? 'uncaught' : 'caught')
      return applies && this.#conditionHolds(condition, chain)
    })
    if (!met) return undefined
    const exception: ExceptionInfo = {
      id: thrown.code ?? 'LuaError',
      description: thrown.text,
      uncaught,
      stack: this.#view
        .stack(chain, 0, 100)
        .frames.map(({ name, source, line }) => (source === undefined ? name : `${name} (${source}:${line})`))
        .join('\n'),
    }
    return { reason: 'exception', text: thrown.text, exception }
  }

  #conditionHolds(condition: string | undefined, chain: Chain): boolean {
    if (condition === undefined || condition.trim() === '') return true
    try {
      const { type, value } = this.#probe.evaluate(condition, this.#view.top(chain))
      return type !== 'nil' && value !== 'false'
    } catch (error) {
      this.#tell({ type: 'output', category: 'important', text: `The condition \`${condition}\` cannot be evaluated: ${textOf(error)}\n` })
      return true
    }
  }

  #standStill(event: LuaEvent, chain: Chain, { exception, ...notice }: StopNotice): Outcome {
    const { flush, isInterrupted, wait } = this.#services
    const threadId = this.#threads.idOf(event.thread)
    this.#stepFrom(event.thread, 'run', undefined)
    flush()
    const stop: Stop = { event, chain, ...(exception && { exception }) }
    this.#stop = stop
    this.#tell({ type: 'stopped', threadId, ...notice })
    // A script that os.exit ends from an evaluation stands still no more.
    wait(() => this.#stop !== stop || isInterrupted() || this.#vm.control.exitCode !== undefined)
    const goesOn = this.#stop !== stop
    this.#stop = undefined
    this.#shielded = true
    this.#view.clear()
    this.#shielded = false
    if (goesOn && this.#recorder.isTravelling) return 'travel'
    if (!goesOn) this.#tell({ type: 'continued', threadId })
    return isInterrupted() ? 'interrupt' : 'continue'
  }

  #stepFrom(thread: ThreadPointer, mode: StepMode, reason: StopReason | undefined): void {
    this.#vm.debugging.step(thread, mode)
    this.#stepReason = reason
  }

  /** The memory is an older one: what the debugger keeps in it is, too. */
  #restored(): void {
    this.#view.forget()
    this.#probe.clear()
    this.#vm.control.telling = true
    this.#vm.control.catching = this.#filters.length > 0
    this.#vm.debugging.record(true)
    this.#breakpoints.restore()
  }

  #loaded(number: number): EventResult {
    if (!this.#isAttached) return 'continue'
    this.#working(() => {
      const source = this.#services.sources.name(number)
      if (source !== undefined && !this.#told.has(number)) {
        this.#told.add(number)
        this.#tell({ type: 'source', source })
      }
      this.#breakpoints.loaded(number)
    })
    this.#next()
    return 'continue'
  }

  // ---- requests ----

  #answer({ id, method, args }: DebugRequest): void {
    const { post } = this.#services
    let answer: FromWorker
    this.#shielded = !EVALUATES.has(method)
    this.#answering = id
    try {
      const value = this.#working(() => (this.#handlers[method] as (...given: unknown[]) => unknown)(...args))
      answer = { type: 'debugAnswer', id, value }
    } catch (error) {
      // The state is lost, and the worker with it.
      if (error instanceof Error && error.name === 'LuaCrash') throw error
      answer = { type: 'debugAnswer', id, error: toWireError(error) }
    }
    this.#shielded = false
    this.#answering = undefined
    post(answer)
    if (EVALUATES.has(method)) this.#services.flush()
    this.#next()
  }

  /** Of the request that is being answered, of one that waits, or of whatever is evaluated now. */
  #cancel(id: number | undefined): void {
    if (id === undefined || id === this.#answering) return this.#evaluations.cancel()
    const at = this.#later.findIndex((request) => request.id === id)
    if (at < 0) return
    this.#later.splice(at, 1)
    this.#services.post({
      type: 'debugAnswer',
      id,
      error: toWireError(new Refusal('debug.evaluation_failed', 'the evaluation was cancelled')),
    })
  }

  #next(): void {
    const next = this.#busy ? undefined : this.#later.shift()
    if (next) this.#answer(next)
  }

  /** Requests that arrive meanwhile wait: what they set would be undone when quiet code ends. */
  #working<T>(work: () => T): T {
    const outer = this.#busy
    this.#busy = true
    try {
      return work()
    } finally {
      this.#busy = outer
    }
  }

  readonly #handlers: Handlers = {
    attach: (options: AttachOptions) => this.#attach(options),
    detach: () => this.#detach(),
    cancel: () => undefined,
    setBreakpoints: (source: string, specs: readonly BreakpointSpec[]) => this.#breakpoints.set(source, specs),
    setFunctionBreakpoints: (specs: readonly FunctionBreakpointSpec[]) => this.#breakpoints.setFunctions(specs),
    setExceptionFilters: (filters: readonly ExceptionFilterSpec[]) => {
      this.#filters = filters
      this.#vm.control.catching = filters.length > 0
    },
    breakpointLocations: (source: string, line: number, endLine: number) =>
      this.#lines(source)
        .filter((at) => at >= line && at <= endLine)
        .map((at) => ({ line: at })),
    threads: () => this.#threads.list(),
    stackTrace: (threadId: number, start: number, levels: number): { frames: StackFrame[]; total: number } =>
      this.#view.stack(this.#chainOf(threadId), start, levels),
    scopes: (frameId: number) => this.#view.scopes(frameId),
    variables: (reference: number, page: VariablesPage) => this.#view.variables(reference, page),
    setVariable: (reference: number, name: string, value: string) => this.#evaluations.setVariable(reference, name, value),
    evaluate: (expression: string, frameId: number | undefined, context: EvaluateContext) =>
      this.#evaluations.evaluate(expression, frameId, context),
    setExpression: (expression: string, frameId: number | undefined, value: string) =>
      this.#evaluations.setExpression(expression, frameId, value),
    globals: () => this.#view.globals(),
    render: (expression: string, frameId: number | undefined) => this.#evaluations.render(expression, frameId),
    completions: (text: string, column: number, frameId: number | undefined) => this.#evaluations.completions(text, column, frameId),
    exceptionInfo: (threadId: number) => {
      const stop = this.#mustStand()
      return this.#threads.idOf(stop.event.thread) === threadId ? stop.exception : undefined
    },
    readMemory: (memoryReference: string, offset: number, count: number) => this.#view.readMemory(memoryReference, offset, count),
    resume: (threadId: number, mode: ResumeMode) => this.#resume(threadId, mode),
    restartFrame: () => {
      throw new Refusal('debug.not_supported', 'a frame of Lua cannot be restarted')
    },
    pause: () => {
      if (this.#stop) return
      if (this.#services.isRunning()) this.#stepReason = 'pause'
      else this.#atStart = 'pause'
      // Where code waits for the kernel there is no safe point to look up at: it stops when it goes on.
      if (this.#services.isRunning()) this.#vm.debugging.step(this.#vm.threadChain()[0] ?? this.#vm.mainThread, 'in')
    },
    loadedSources: () => this.#services.sources.names(),
    sourceText: (source: string) => this.#services.sources.text(source),
  }

  #attach({ stopOnEntry, recordHistory }: AttachOptions): void {
    const { sources } = this.#services
    this.#isAttached = true
    this.#atStart = stopOnEntry ? 'entry' : undefined
    this.#recordNext = recordHistory === true
    this.#vm.onLoad = (chunkName, text) => sources.numberOfChunk(chunkName, text, this.#vm.system.cwd)
    this.#vm.control.telling = true
    this.#vm.debugging.adoptSources()
    if (this.#recordNext && this.#services.isRunning() && !this.#isRecording)
      this.#say('History is recorded from the next run on: this one had begun already.\n')
  }

  #detach(): void {
    this.#isAttached = false
    this.#recordNext = false
    this.#atStart = undefined
    this.#filters = []
    this.#said.clear()
    this.#told.clear()
    this.#breakpoints.clear()
    this.#vm.control.catching = false
    this.#vm.control.telling = false
    this.#vm.debugging.record(false)
    this.#stepFrom(this.#vm.mainThread, 'run', undefined)
    this.#stop = undefined
  }

  #resume(threadId: number, mode: ResumeMode): void {
    const stop = this.#mustStand()
    if (mode === 'stepBack' || mode === 'reverseContinue') {
      if (!this.#isRecording)
        throw new Refusal(
          'debug.not_supported',
          'no history is kept, so there is no way back',
          'Launch or attach with "recordHistory": true.',
        )
      this.#recorder.plan(mode)
    } else {
      const thread = stop.chain.find((pointer) => this.#threads.idOf(pointer) === threadId) ?? stop.event.thread
      this.#stepFrom(thread, STEPS[mode], mode === 'continue' ? undefined : 'step')
    }
    this.#stop = undefined
  }

  #lines(source: string): number[] {
    const number = this.#services.sources.find(source)
    return number === undefined ? [] : this.#vm.debugging.breakableLines(number)
  }

  /** A coroutine that stands still further down is shown by itself, and so is one that is suspended. */
  #chainOf(threadId: number): Chain {
    const { event, chain } = this.#mustStand()
    if (this.#threads.idOf(event.thread) === threadId) return chain
    const at = chain.findIndex((pointer) => this.#threads.idOf(pointer) === threadId)
    if (at >= 0) return chain.slice(at)
    const suspended = this.#threads.find(threadId)
    if (suspended === undefined) throw new Refusal('debug.stale_reference', `there is no thread ${threadId}`)
    return [suspended]
  }

  #mustStand(): Stop {
    if (!this.#stop) throw new Refusal('debug.not_stopped', this.#services.isRunning() ? 'the script runs' : 'no script runs')
    return this.#stop
  }

  #say(text: string): void {
    if (this.#said.has(text)) return
    this.#said.add(text)
    this.#tell({ type: 'output', category: 'important', text })
  }

  #tell(event: DebugTargetEvent): void {
    this.#services.post({ type: 'debugNotice', event })
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
