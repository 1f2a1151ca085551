import type { Debugger } from 'node:inspector'
import { setFlagsFromString } from 'node:v8'
import { LlmspellError, messageOf } from '@llmspell/base'
import type {
  AttachOptions,
  BoundBreakpoint,
  BreakpointSpec,
  CompletionTarget,
  DebugTargetEvent,
  EvaluateContext,
  ExceptionFilterSpec,
  ExceptionInfo,
  FunctionBreakpointSpec,
  RenderedValue,
  ResumeMode,
  Scope,
  StackFrame,
  StopReason,
  Variable,
  VariablesPage,
} from '@llmspell/debug'
import type { Declarations } from '../../source/declarations.ts'
import type { RunRecords } from '../run-records.ts'
import type { AgentMessage } from './agent.ts'
import { AgentLink } from './agent-link.ts'
import { Breakpoints } from './breakpoints.ts'
import { Evaluator } from './evaluator.ts'
import { ExceptionFilters, type Thrown } from './exceptions.ts'
import { type Frame, Frames, isShownFrame } from './frames.ts'
import { Protocol } from './protocol.ts'
import { HIDDEN_PATTERNS, isPastEnd, type KnownScript, type ScriptParsed, Scripts } from './scripts.ts'
import { Variables } from './variables.ts'

export const THREAD = 1
/** How long a script that is busy in native code is waited for. */
const SETTLE_MS = 300

export interface DebuggerHost {
  readonly names: Declarations
  readonly records: RunRecords
  /** Handed to the kernel; output that was printed before comes before it when `afterOutput`. */
  send(event: DebugTargetEvent, afterOutput?: boolean): void
  /** Whether errors of host calls are thrown where a debugger sees them. */
  watchCalls(watch: boolean): void
}

interface Step {
  readonly kind: 'step'
  readonly mode: ResumeMode
  /** The call that it began in. */
  readonly from?: { depth: number; line: number; function: string }
  /** On the way back to that call, from an error that was not to be stopped at. */
  returning?: boolean
}

/** Where the script stands still. */
interface Stop {
  /** The calls as V8 tells them. */
  readonly calls: readonly Debugger.CallFrame[]
  readonly frames: Frames
  readonly exception: Thrown | undefined
}

/** The debugger of the script thread; lives in the guard from the first attach on. Commands are the methods of `DebugTarget`. */
export class ScriptDebugger {
  readonly #host: DebuggerHost
  #protocol: Protocol | undefined
  #connecting: Promise<Protocol> | undefined
  #debugging = false
  #scripts!: Scripts
  #agent!: AgentLink
  #variables!: Variables
  #breakpoints!: Breakpoints
  #exceptions!: ExceptionFilters
  #evaluator!: Evaluator
  #stop: Stop | undefined
  /** V8 stands still, perhaps only for us. */
  #paused = false
  /** Why the next stop is one. */
  #intent: { kind: 'pause'; moved: boolean } | Step | undefined
  #stopOnEntry = false
  /** The script of a client that was started last. */
  #running: KnownScript | undefined
  #entryId: string | undefined
  /** Slots of breakpoints whose conditions have said yes since the last stop. */
  #hits: number[] = []
  #unwinding = false
  #instrumentation: { kind: string; id: string } | undefined
  #lastFrame = 0

  constructor(host: DebuggerHost) {
    this.#host = host
  }

  /** Plain scripts must be evaluated like the others, or V8 takes their errors for caught. */
  get wantsEvaluation(): boolean {
    return this.#debugging && this.#exceptions.wantsEvaluation
  }

  get attached(): boolean {
    return this.#debugging
  }

  async attach(options: AttachOptions): Promise<void> {
    this.#stopOnEntry = options.stopOnEntry === true
    if (this.#debugging) return
    const protocol = await this.#connect()
    this.#debugging = true
    try {
      // Variables must have one place each, or what is set in one is not what the code reads.
      setFlagsFromString('--no-ignition-reo')
      await protocol.post('Debugger.enable')
      await protocol.post('Debugger.setBlackboxPatterns', { patterns: HIDDEN_PATTERNS })
      await this.#watchScripts()
      await this.#scripts.settle()
      this.#announceAll()
    } catch (error) {
      this.disconnect()
      throw error
    }
  }

  /** What looks at values; debugging needs it, too. */
  async #connect(): Promise<Protocol> {
    this.#connecting ??= this.#link()
    return await this.#connecting
  }

  async #link(): Promise<Protocol> {
    const protocol = new Protocol((method, params) => this.#onEvent(method, params))
    this.#protocol = protocol
    const { names, records } = this.#host
    this.#scripts = new Scripts(protocol, records)
    this.#agent = new AgentLink(protocol)
    this.#variables = new Variables(protocol, this.#agent)
    this.#breakpoints = new Breakpoints(protocol, this.#scripts, {
      changed: (breakpoint) => this.#host.send({ type: 'breakpoint', breakpoint }),
      reset: (slot) => void this.#agent.value('reset', { value: slot }).catch(() => {}),
    })
    this.#exceptions = new ExceptionFilters(protocol, this.#scripts, this.#agent)
    this.#evaluator = new Evaluator(protocol, this.#scripts, this.#variables, this.#agent, names)
    try {
      await this.#agent.install()
    } catch (error) {
      this.disconnect()
      throw error
    }
    return protocol
  }

  async detach(): Promise<void> {
    const protocol = this.#protocol
    if (!protocol || !this.#debugging) return
    this.#clear()
    try {
      setFlagsFromString('--ignition-reo')
      await protocol.post('Debugger.disable')
    } finally {
      this.disconnect()
    }
  }

  /** Lets go at once. V8 then takes everything back that was set, and lets a script go on that stands still. */
  disconnect(): void {
    const protocol = this.#protocol
    this.#protocol = undefined
    this.#connecting = undefined
    this.#debugging = false
    this.#host.watchCalls(false)
    this.#instrumentation = undefined
    this.#entryId = undefined
    this.#paused = false
    this.#clear()
    protocol?.disconnect()
  }

  async setBreakpoints(source: string, specs: readonly BreakpointSpec[]): Promise<BoundBreakpoint[]> {
    this.#attached()
    const bound = await this.#breakpoints.set(source, specs)
    await this.#watchScripts()
    return bound
  }

  async setFunctionBreakpoints(specs: readonly FunctionBreakpointSpec[]): Promise<BoundBreakpoint[]> {
    this.#attached()
    const bound = await this.#breakpoints.setFunctions(specs, [...this.#scripts.shown()])
    await this.#watchScripts()
    return bound
  }

  async setExceptionFilters(filters: readonly ExceptionFilterSpec[]): Promise<void> {
    this.#attached()
    this.#host.watchCalls(filters.some(({ filter }) => filter === 'tool' || filter === 'provider'))
    await this.#exceptions.set(filters, this.#running)
  }

  async breakpointLocations(source: string, line: number, endLine: number): Promise<{ line: number; column?: number }[]> {
    const protocol = this.#attached()
    const script = this.#scripts.of(source).at(-1)
    const start = script?.positions.toGenerated({ line, column: 1 })
    if (!script || !start) return []
    const end = script.positions.toGenerated({ line: endLine + 1, column: 1 })
    const { locations } = await protocol.post<Debugger.GetPossibleBreakpointsReturnType>('Debugger.getPossibleBreakpoints', {
      start: { scriptId: script.scriptId, lineNumber: start.line - 1, columnNumber: start.column - 1 },
      ...(end && { end: { scriptId: script.scriptId, lineNumber: end.line - 1, columnNumber: end.column - 1 } }),
    })
    const found = new Map<string, { line: number; column: number }>()
    for (const { lineNumber, columnNumber = 0 } of locations) {
      if (isPastEnd(script, { lineNumber, columnNumber })) continue
      const place = script.positions.toOriginal({ line: lineNumber + 1, column: columnNumber + 1 })
      if (place.line >= line && place.line <= endLine) found.set(`${place.line}:${place.column}`, place)
    }
    return [...found.values()].sort((a, b) => a.line - b.line || a.column - b.column)
  }

  async threads(): Promise<{ id: number; name: string }[]> {
    return [{ id: THREAD, name: 'main' }]
  }

  async stackTrace(threadId: number, startFrame: number, levels: number): Promise<{ frames: StackFrame[]; total: number }> {
    const { frames } = this.#stopped(threadId)
    const all = await frames.all()
    return { frames: all.slice(startFrame, levels > 0 ? startFrame + levels : undefined), total: all.length }
  }

  async scopes(frameId: number): Promise<Scope[]> {
    return await this.#evaluator.scopes(this.#frame(frameId))
  }

  async variables(reference: number, page: VariablesPage): Promise<Variable[]> {
    await this.#connect()
    return await this.#variables.expand(reference, page)
  }

  async setVariable(reference: number, name: string, value: string): Promise<Variable> {
    await this.#connect()
    const found = this.#variables.get(reference)
    const frame = found.kind === 'scope' ? this.#stop?.frames.byCallFrame(found.callFrameId) : this.#stop?.frames.top
    return await this.#evaluator.setVariable(found, name, value, frame)
  }

  async evaluate(expression: string, frameId: number | undefined, context: EvaluateContext): Promise<Variable> {
    await this.#connect()
    return await this.#evaluator.evaluate(expression, frameId === undefined ? undefined : this.#frame(frameId), context)
  }

  async setExpression(expression: string, frameId: number | undefined, value: string): Promise<Variable> {
    await this.#connect()
    return await this.#evaluator.setExpression(expression, frameId === undefined ? undefined : this.#frame(frameId), value)
  }

  async completions(text: string, column: number, frameId: number | undefined): Promise<CompletionTarget[]> {
    await this.#connect()
    return await this.#evaluator.completions(text, column, frameId === undefined ? undefined : this.#frame(frameId))
  }

  async globals(): Promise<Scope> {
    await this.#connect()
    return { name: 'Globals', hint: 'globals', reference: this.#variables.refer({ kind: 'namespace' }), expensive: false }
  }

  async render(expression: string, frameId: number | undefined): Promise<RenderedValue> {
    await this.#connect()
    return await this.#evaluator.render(expression, frameId === undefined ? undefined : this.#frame(frameId))
  }

  async exceptionInfo(threadId: number): Promise<ExceptionInfo | undefined> {
    const { exception } = this.#stopped(threadId)
    return exception && (await this.#exceptions.describe(exception))
  }

  async readMemory(reference: string, offset: number, count: number): Promise<{ data: string; unreadable: number }> {
    await this.#connect()
    return await this.#variables.readMemory(reference, offset, count)
  }

  async resume(threadId: number, mode: ResumeMode): Promise<void> {
    this.#stopped(threadId)
    const method = COMMANDS[mode]
    if (!method) throw new LlmspellError(`JavaScript cannot go back (${mode})`, { code: 'debug.not_supported' })
    const protocol = this.#attached()
    const from = this.#stop && startOf(this.#stop)
    this.#clear()
    this.#variables.forget()
    this.#intent = mode === 'continue' ? undefined : { kind: 'step', mode, ...(from && { from }) }
    await protocol.post(method)
  }

  async restartFrame(frameId: number): Promise<void> {
    const frame = this.#frame(frameId)
    const protocol = this.#attached()
    if (!frame.call || !frame.shown.canRestart)
      throw new LlmspellError('this frame cannot be started again: it is a generator, an async function or the top of a script', {
        code: 'debug.not_supported',
      })
    await protocol.post('Debugger.restartFrame', { callFrameId: frame.call.callFrameId, mode: 'StepInto' })
    this.#clear()
    this.#variables.forget()
    this.#intent = { kind: 'step', mode: 'stepIn' }
  }

  async pause(threadId: number): Promise<void> {
    this.#thread(threadId)
    const protocol = this.#attached()
    if (this.#stop) return
    this.#intent = { kind: 'pause', moved: false }
    await protocol.post('Debugger.pause')
  }

  async loadedSources(): Promise<string[]> {
    this.#attached()
    return [...new Set([...this.#scripts.shown()].map((script) => script.source))]
  }

  async sourceText(source: string): Promise<string | undefined> {
    this.#attached()
    const script = this.#scripts.of(source).at(-1)
    if (!script) return undefined
    return script.record?.code ?? (await this.#scripts.text(script))
  }

  /** What the script thread has said so far has been handed on. */
  async settle(): Promise<void> {
    await this.#protocol?.post('Runtime.getIsolateId', {}, SETTLE_MS).catch(() => {})
  }

  /** An interrupt is on its way: nothing stops any more until it is over, and what stands still is ended. */
  unwind(): void {
    const protocol = this.#protocol
    if (!protocol || !this.#debugging) return
    this.#unwinding = true
    protocol.send('Debugger.setSkipAllPauses', { skip: true })
    if (this.#paused) protocol.send('Debugger.resume', { terminateOnResume: true })
  }

  /** The interrupt is over. */
  wound(): void {
    this.#unwinding = false
    this.#intent = undefined
    if (this.#debugging) this.#protocol?.send('Debugger.setSkipAllPauses', { skip: false })
  }

  #attached(): Protocol {
    if (!this.#protocol || !this.#debugging)
      throw new LlmspellError('no debugger is attached to this engine', { code: 'debug.not_attached' })
    return this.#protocol
  }

  #thread(threadId: number): void {
    if (threadId !== THREAD)
      throw new LlmspellError(`there is no thread ${threadId}; the script's is ${THREAD}`, { code: 'debug.stale_reference' })
  }

  #stopped(threadId: number): Stop {
    this.#thread(threadId)
    if (!this.#stop)
      throw new LlmspellError('the script runs; this needs one that stands still', { code: 'debug.not_stopped', hint: 'Pause it first.' })
    return this.#stop
  }

  #frame(frameId: number): Frame {
    const frame = this.#stop?.frames.byId(frameId)
    if (frame) return frame
    if (frameId > this.#lastFrame || frameId < 1) throw new LlmspellError(`there is no frame ${frameId}`, { code: 'debug.stale_reference' })
    throw new LlmspellError('this frame belongs to a moment that is over', {
      code: 'debug.stale_reference',
      hint: 'Ask for the stack again when the script stands still.',
    })
  }

  #clear(): void {
    this.#stop = undefined
    this.#intent = undefined
    this.#hits = []
  }

  /** Scripts stop before their first line, so that breakpoints can be put where they belong: those that carry a mark, or all. */
  async #watchScripts(): Promise<void> {
    const protocol = this.#attached()
    const kind = this.#breakpoints.needStarts ? 'beforeScriptExecution' : 'beforeScriptWithSourceMapExecution'
    if (this.#instrumentation?.kind === kind) return
    const before = this.#instrumentation
    const { breakpointId } = await protocol.post<{ breakpointId: string }>('Debugger.setInstrumentationBreakpoint', {
      instrumentation: kind,
    })
    this.#instrumentation = { kind, id: breakpointId }
    if (before) protocol.send('Debugger.removeBreakpoint', { breakpointId: before.id })
  }

  #onEvent(method: string, params: object): void {
    if (!this.#protocol) return
    switch (method) {
      case 'Debugger.scriptParsed':
        return this.#onScript(params as ScriptParsed)
      case 'Debugger.breakpointResolved': {
        const { breakpointId, location } = params as Debugger.BreakpointResolvedEventDataType
        return this.#breakpoints.onResolved(breakpointId, location)
      }
      case 'Debugger.paused':
        this.#paused = true
        this.#onPaused(params as Debugger.PausedEventDataType).catch((error: unknown) => this.#onTrouble(error))
        return
      case 'Debugger.resumed':
        this.#paused = false
        if (this.#stop) {
          this.#clear()
          this.#variables.forget()
          this.#host.send({ type: 'continued', threadId: THREAD })
        }
        return
      case 'Runtime.bindingCalled':
        return this.#onAgent(JSON.parse((params as { payload: string }).payload) as AgentMessage)
    }
  }

  #onScript(parsed: ScriptParsed & { resolvedBreakpoints?: { breakpointId: string; location: Debugger.Location }[] }): void {
    const script = this.#scripts.add(parsed)
    for (const { breakpointId, location } of parsed.resolvedBreakpoints ?? []) this.#breakpoints.onResolved(breakpointId, location)
    // Those from before are told of when it is known what they are.
    if (this.#instrumentation && script.kind !== 'evaluated' && !parsed.sourceMapURL) this.#announce(script)
    void this.#breakpoints.bind(script).catch(() => {})
  }

  #announceAll(): void {
    for (const script of this.#scripts.all()) if (script.kind !== 'evaluated') this.#announce(script)
  }

  #announce(script: KnownScript): void {
    if (script.hidden || script.announced) return
    const known = this.#scripts.of(script.source).some((one) => one.announced)
    script.announced = true
    if (!known) this.#host.send({ type: 'source', source: script.source })
  }

  #onAgent(message: AgentMessage): void {
    if (message.t === 'hit') {
      this.#hits.push(message.slot)
      return
    }
    const place = this.#breakpoints.placeOf(message.slot)
    const where = place.source === undefined ? 'a breakpoint' : `the breakpoint at ${place.source}:${place.line}`
    if (message.t === 'log') this.#host.send({ type: 'output', category: 'console', text: `${message.text}\n`, ...place }, true)
    else this.#host.send({ type: 'output', category: 'important', text: `${where}: ${message.message}\n`, ...place }, true)
  }

  async #onPaused(params: Debugger.PausedEventDataType): Promise<void> {
    const protocol = this.#protocol as Protocol
    if (this.#unwinding) return protocol.send('Debugger.resume', { terminateOnResume: true })
    if (params.reason === 'instrumentation') return this.#onScriptStart(params)
    const hitIds = params.hitBreakpoints ?? []
    const entry = this.#entryId !== undefined && hitIds.includes(this.#entryId)
    if (entry) {
      protocol.send('Debugger.removeBreakpoint', { breakpointId: this.#entryId })
      this.#entryId = undefined
    }
    const shown = params.callFrames.map((frame) => isShownFrame(frame, this.#scripts))
    const first = shown.indexOf(true)
    const exception = exceptionOf(params)
    if (first !== 0 && !exception) return this.#leave(first)
    if (exception) {
      const verdict = await this.#exceptions.judge(exception, params.callFrames)
      if (!this.#paused || this.#protocol !== protocol) return
      if (verdict) exception.uncaught = verdict.uncaught
      else if (!this.#breakpoints.isHit(hitIds)) return this.#goOn(params.callFrames)
    }
    if (!this.#paused || this.#protocol !== protocol) return
    if (this.#intent?.kind === 'step' && !exception && hitIds.length === 0) {
      if (this.#intent.returning && this.#isOnTheWay(this.#intent, params.callFrames)) return
      if (!this.#isWritten(params.callFrames[0])) return protocol.send(COMMANDS[this.#intent.mode] as string)
    }
    const frames = new Frames(
      params.callFrames,
      this.#scripts,
      this.#agent,
      () => ++this.#lastFrame,
      first < 0 ? exception?.description : '',
    )
    const { ids, onlyFunctions } = this.#breakpoints.hit(hitIds, this.#hits)
    const reason = await this.#reasonOf({ entry, hit: this.#breakpoints.isHit(hitIds), onlyFunctions, exception, params })
    if (!this.#paused || this.#protocol !== protocol) return
    if (reason === 'pause' && this.#intent?.kind === 'pause' && !this.#intent.moved) {
      // What runs here may be optimized code, whose variables cannot be set: that of the next statement is not.
      this.#intent = { kind: 'pause', moved: true }
      return protocol.send('Debugger.stepInto')
    }
    this.#intent = undefined
    this.#hits = []
    this.#stop = { calls: params.callFrames, frames, exception: reason === 'exception' ? exception : undefined }
    const text = reason === 'exception' && exception ? exception.description?.split('\n')[0] : undefined
    this.#host.send(
      {
        type: 'stopped',
        threadId: THREAD,
        reason,
        ...(ids.length > 0 && { breakpointIds: ids }),
        ...(text !== undefined && { text }),
      },
      true,
    )
  }

  /** A script must not stand still without anybody knowing. Who has detached meanwhile has let it go already. */
  #onTrouble(error: unknown): void {
    if (!this.#protocol || !this.#paused || this.#stop) return
    const text = `The debugger could not look at the script where it stood: ${messageOf(error)}\n`
    this.#host.send({ type: 'output', category: 'important', text })
    this.#goOn()
  }

  async #reasonOf(found: {
    entry: boolean
    hit: boolean
    onlyFunctions: boolean
    exception: Stop['exception']
    params: Debugger.PausedEventDataType
  }): Promise<StopReason> {
    if (found.hit) return found.onlyFunctions ? 'function breakpoint' : 'breakpoint'
    if (found.entry) return 'entry'
    if (found.exception) return 'exception'
    const [top] = found.params.callFrames
    const script = top && this.#scripts.get(top.location.scriptId)
    if (top && script) {
      const lines = (await this.#scripts.text(script)).split('\n')
      const { lineNumber, columnNumber = 0 } = top.location
      if (/^debugger\b/.test(lines[lineNumber]?.slice(columnNumber) ?? '')) return 'debugger statement'
    }
    // A step that went into code of the engine ends where that comes back, perhaps much later.
    return this.#intent?.kind === 'pause' ? 'pause' : 'step'
  }

  /** A script is about to run. Commands are answered in order: all that is sent before `resume` holds when it starts. */
  async #onScriptStart(params: Debugger.PausedEventDataType): Promise<void> {
    const protocol = this.#protocol as Protocol
    const [top] = params.callFrames
    const script = top && this.#scripts.get(top.location.scriptId)
    if (script && !script.hidden) {
      if (script.record) {
        this.#running = script
        this.#exceptions.prepare(script)
      }
      if (this.#breakpoints.needStarts) await this.#breakpoints.bind(script).catch(() => {})
      if (this.#stopOnEntry && script.record && (await this.#isMain(script))) {
        this.#stopOnEntry = false
        const made = await protocol
          .post<{ breakpointId: string }>('Debugger.setBreakpoint', { location: top.location })
          .catch(() => undefined)
        this.#entryId = made?.breakpointId
      }
    }
    if (this.#protocol !== protocol) return
    await protocol.post('Debugger.resume').catch(() => {})
    // It runs.
    if (script && this.#protocol === protocol) this.#announce(script)
  }

  /** Not the declarations that are evaluated before. */
  async #isMain(script: KnownScript): Promise<boolean> {
    const { prepared } = script.record ?? {}
    return prepared?.preamble === undefined || (await this.#scripts.text(script)).startsWith(prepared.code)
  }

  /** Stands in code that is not the user's: goes on to the next that is. */
  #leave(first: number): void {
    const protocol = this.#protocol as Protocol
    this.#hits = []
    if (this.#intent && first > 0) return protocol.send('Debugger.stepOut')
    if (this.#intent?.kind === 'pause') return protocol.send('Debugger.stepInto')
    const stepped = this.#intent !== undefined
    this.#intent = undefined
    protocol.send('Debugger.resume')
    if (stepped) this.#host.send({ type: 'continued', threadId: THREAD })
  }

  /** Steps end where people have written something, not in what an enum or a parameter property was turned into. */
  #isWritten(top: Debugger.CallFrame | undefined): boolean {
    const script = top && this.#scripts.get(top.location.scriptId)
    if (!top || !script) return true
    return script.positions.isWritten({ line: top.location.lineNumber + 1, column: (top.location.columnNumber ?? 0) + 1 })
  }

  /** As if it had not stopped here, where an error is thrown. */
  #goOn(calls: readonly Debugger.CallFrame[] = []): void {
    const protocol = this.#protocol as Protocol
    if (this.#intent?.kind !== 'step') return protocol.send('Debugger.resume')
    const { mode, from } = this.#intent
    if (mode === 'stepIn' || !from) return protocol.send(COMMANDS[mode] as string)
    const at = calls[calls.length - from.depth]
    // It waits for a promise: V8 remembers that itself, and would take another step for this one.
    if (!at || keyOf(at) !== from.function) return protocol.send('Debugger.resume')
    if (calls.length === from.depth) return protocol.send(COMMANDS[mode] as string)
    this.#intent.returning = true
    protocol.send('Debugger.stepOut')
  }

  /** Whether a step that an error has disturbed goes on from here, to the call that it began in or out of it. */
  #isOnTheWay({ from, mode }: Step, calls: readonly Debugger.CallFrame[]): boolean {
    const protocol = this.#protocol as Protocol
    const wanted = (from?.depth ?? 0) - (mode === 'stepOut' ? 1 : 0)
    if (calls.length > wanted) protocol.send('Debugger.stepOut')
    else if (mode === 'next' && calls.length === wanted && calls[0]?.location.lineNumber === from?.line) protocol.send('Debugger.stepOver')
    else return false
    return true
  }
}

const COMMANDS: Partial<Record<ResumeMode, string>> = {
  continue: 'Debugger.resume',
  next: 'Debugger.stepOver',
  stepIn: 'Debugger.stepInto',
  stepOut: 'Debugger.stepOut',
}

function startOf({ calls, frames }: Stop): Step['from'] {
  const own = calls.findIndex((call) => call.callFrameId === frames.top?.call?.callFrameId)
  const call = calls[own]
  return call && { depth: calls.length - own, line: call.location.lineNumber, function: keyOf(call) }
}

function keyOf({ functionLocation, location }: Debugger.CallFrame): string {
  const { lineNumber, columnNumber = 0 } = functionLocation ?? { lineNumber: 0 }
  return `${location.scriptId}:${lineNumber}:${columnNumber}`
}

function exceptionOf({ reason, data }: Debugger.PausedEventDataType): Stop['exception'] {
  if (reason === 'exception' || reason === 'promiseRejection') return data as Stop['exception']
  if (reason !== 'ambiguous') return undefined
  const reasons = (data as { reasons?: { reason: string; auxData?: object }[] } | undefined)?.reasons ?? []
  return reasons.find((one) => one.reason === 'exception' || one.reason === 'promiseRejection')?.auxData as Stop['exception']
}
