import { type Disposable, Emitter, LlmspellError, messageOf } from '@llmspell/base'
import type { StoppedEvent } from '../../src/engine-link.ts'
import { hitConditionMet, parseHitCondition } from '../../src/hit-condition.ts'
import type * as Contract from '../../src/index.ts'
import { parseExpression, type Statement, splitAssignment, ToySyntaxError } from './toy-language.ts'
import { type Frame, plain, type Step, ToyError, type ToyMachine } from './toy-machine.ts'

const THREAD = 1
const MOST = 10_000
const LONGEST = 200

interface Breakpoint extends Contract.BreakpointSpec {
  at: number | undefined
  hits: number
}

type Container = { kind: 'scope'; values: Map<string, unknown> } | { kind: 'value'; value: unknown; path: string }

/** An honest target without an engine around it: everything that it tells is so. */
export class ToyDebugTarget implements Contract.DebugTarget {
  readonly features: Contract.DebugFeatures = {
    stepBack: true,
    restartFrame: true,
    readMemory: true,
    exceptionFilters: ['caught', 'uncaught', 'tool'],
  }
  /** Every call of the contract, for tests of who calls what. */
  readonly calls: string[] = []
  readonly #events = new Emitter<Contract.DebugTargetEvent>()
  readonly #machine: () => ToyMachine
  readonly #sources = new Map<string, { code: string; lines: number[] }>()
  readonly #breakpoints = new Map<string, Breakpoint[]>()
  #functions: (Contract.FunctionBreakpointSpec & { hits: number })[] = []
  #filters: readonly Contract.ExceptionFilterSpec[] = []
  #options: Contract.AttachOptions | undefined
  #entry = false
  #pausing = false
  #mode: { mode: Contract.ResumeMode; depth: number } = { mode: 'continue', depth: 0 }
  #stop: StoppedEvent | undefined
  #error: { error: ToyError; caught: boolean } | undefined
  #goOn: ((goTo: number | undefined) => void) | undefined
  #references = new Map<number, Container>()
  #frames = new Map<number, Frame>()
  #lastReference = 0

  constructor(machine: () => ToyMachine) {
    this.#machine = machine
  }

  onEvent(listener: (event: Contract.DebugTargetEvent) => void): Disposable {
    return this.#events.on(listener)
  }

  // ---- the engine's side ----

  loaded(source: string, code: string, body: readonly Statement[]): void {
    const isNew = this.#sources.get(source)?.code !== code
    this.#sources.set(source, { code, lines: linesOf(body).sort((a, b) => a - b) })
    if (!this.#options) return
    if (isNew) this.#events.emit({ type: 'source', source })
    for (const breakpoint of this.#breakpoints.get(source) ?? []) this.#bind(source, breakpoint, true)
    this.#entry = this.#options.stopOnEntry === true
  }

  /** Why to stop here, if so. */
  look(step: Step): StoppedEvent | undefined {
    if (!this.#options) return undefined
    const frame = this.#machine().frames[0] as Frame
    if (step.kind === 'raise') return this.#lookAtError(step, frame)
    const hit = this.#hit(frame)
    if (hit) return hit
    const { mode, depth } = this.#mode
    const deep = this.#machine().frames.length
    if (this.#entry) {
      this.#entry = false
      this.#options = { ...this.#options, stopOnEntry: false }
      return stopped('entry')
    }
    if (this.#pausing) return stopped('pause')
    if (mode === 'stepIn' || (mode === 'next' && deep <= depth) || (mode === 'stepOut' && deep < depth)) return stopped('step')
    return undefined
  }

  /** Resolves when it may go on, with the step to go back to. */
  standStill(stop: StoppedEvent): Promise<number | undefined> {
    this.#pausing = false
    this.#stop = stop
    return new Promise((resolve) => {
      this.#goOn = resolve
      this.#events.emit(stop)
    })
  }

  /** It went back and stands still again. */
  arrived(): StoppedEvent {
    return stopped('step')
  }

  interrupted(): void {
    if (!this.#stop) return
    this.#forget()
    this.#events.emit({ type: 'continued', threadId: THREAD })
    this.#leave(undefined)
  }

  lost(): void {
    this.#sources.clear()
    for (const breakpoints of this.#breakpoints.values()) for (const breakpoint of breakpoints) breakpoint.at = undefined
    this.#forget()
    if (this.#options) this.#events.emit({ type: 'lost' })
    this.#leave(undefined)
  }

  idle(): void {
    this.#mode = { mode: 'continue', depth: 0 }
    this.#pausing = false
    this.#error = undefined
  }

  snapshot(globals: ReadonlyMap<string, unknown>): Map<string, unknown> {
    return structuredClone(globals) as Map<string, unknown>
  }

  // ---- the debugger's side ----

  async attach(options: Contract.AttachOptions): Promise<void> {
    this.calls.push('attach')
    this.#options = options
  }

  async detach(): Promise<void> {
    this.calls.push('detach')
    this.#options = undefined
    this.#breakpoints.clear()
    this.#functions = []
    this.#filters = []
    this.#mode = { mode: 'continue', depth: 0 }
    this.#forget()
    this.#leave(undefined)
  }

  async setBreakpoints(source: string, specs: readonly Contract.BreakpointSpec[]): Promise<Contract.BoundBreakpoint[]> {
    this.calls.push(`setBreakpoints ${source} ${specs.length}`)
    const former = new Map(this.#breakpoints.get(source)?.map((breakpoint) => [breakpoint.id, breakpoint]))
    const breakpoints = specs.map((spec) => ({ ...spec, at: undefined, hits: former.get(spec.id)?.hits ?? 0 }))
    this.#breakpoints.set(source, breakpoints)
    return breakpoints.map((breakpoint) => this.#bind(source, breakpoint, false))
  }

  async setFunctionBreakpoints(specs: readonly Contract.FunctionBreakpointSpec[]): Promise<Contract.BoundBreakpoint[]> {
    this.#functions = specs.map((spec) => ({ ...spec, hits: 0 }))
    return specs.map(({ id, name }) => ({ id, verified: this.#machine().globals.has(name) }))
  }

  async setExceptionFilters(filters: readonly Contract.ExceptionFilterSpec[]): Promise<void> {
    this.calls.push(`setExceptionFilters ${filters.map(({ filter }) => filter).join(' ')}`)
    this.#filters = filters
  }

  async breakpointLocations(source: string, line: number, endLine: number): Promise<{ line: number }[]> {
    const lines = this.#sources.get(source)?.lines ?? []
    return lines.filter((at) => at >= line && at <= endLine).map((at) => ({ line: at }))
  }

  async threads(): Promise<{ id: number; name: string }[]> {
    return [{ id: THREAD, name: 'main' }]
  }

  async stackTrace(threadId: number, start: number, levels: number): Promise<{ frames: Contract.StackFrame[]; total: number }> {
    this.#requireStop(threadId)
    const all = this.#machine().frames
    const some = all.slice(start, levels === 0 ? undefined : start + levels)
    const frames = some.map((frame) => {
      const id = ++this.#lastReference
      this.#frames.set(id, frame)
      return { id, name: frame.name, source: frame.source, line: frame.line, column: 1, canRestart: frame !== all.at(-1) }
    })
    return { frames, total: all.length }
  }

  async scopes(frameId: number): Promise<Contract.Scope[]> {
    const { locals } = this.#frame(frameId)
    const { globals } = this.#machine()
    const scope = (name: string, hint: 'locals' | 'globals', values: Map<string, unknown>): Contract.Scope => ({
      name,
      hint,
      reference: this.#refer({ kind: 'scope', values }),
      named: values.size,
      expensive: false,
    })
    const own = scope('Locals', 'locals', locals)
    return locals === globals ? [own] : [own, scope('Globals', 'globals', globals)]
  }

  async variables(reference: number, { filter, start = 0, count }: Contract.VariablesPage): Promise<Contract.Variable[]> {
    const container = this.#container(reference)
    const of = container.kind === 'scope' ? container.values : container.value
    const isIndexed = Array.isArray(of) || of instanceof Uint8Array
    if (filter !== undefined && (filter === 'indexed') !== isIndexed) return []
    const path = container.kind === 'scope' ? '' : container.path
    const most = Math.min(count ?? MOST, MOST)
    if (isIndexed)
      return Array.from(of.slice(start, start + most), (value, at) => this.#show(String(start + at), value, `${path}[${start + at}]`))
    const entries = of instanceof Map ? [...(of as Map<string, unknown>)] : []
    return entries.slice(start, start + most).map(([name, value]) => this.#show(name, value, path ? `${path}.${name}` : name))
  }

  async setVariable(reference: number, name: string, text: string): Promise<Contract.Variable> {
    const container = this.#container(reference)
    const of = container.kind === 'scope' ? container.values : container.value
    const value = this.#compute(text, this.#machine().frames[0])
    if (of instanceof Map) {
      if (!of.has(name)) throw new LlmspellError(`there is no ${name}`, { code: 'debug.evaluation_failed' })
      of.set(name, value)
    } else if (Array.isArray(of)) of[Number(name)] = value
    return this.#show(name, value, name)
  }

  async evaluate(text: string, frameId: number | undefined, context: Contract.EvaluateContext): Promise<Contract.Variable> {
    const frame = frameId === undefined ? undefined : this.#frame(frameId)
    const assignment = splitAssignment(text)
    if (!assignment) return this.#show(text, this.#compute(text, frame, context === 'hover'), text)
    if (context === 'hover') throw new LlmspellError('an assignment is not hovered', { code: 'debug.evaluation_failed' })
    return this.#assign(assignment[0], frame, assignment[1])
  }

  async setExpression(expression: string, frameId: number | undefined, value: string): Promise<Contract.Variable> {
    return this.#assign(expression, frameId === undefined ? undefined : this.#frame(frameId), value)
  }

  async globals(): Promise<Contract.Scope> {
    const values = this.#machine().globals
    return { name: 'Globals', reference: this.#refer({ kind: 'scope', values }), named: values.size, expensive: false }
  }

  async completions(text: string, column: number, frameId: number | undefined): Promise<Contract.CompletionTarget[]> {
    const [, path = '', part = ''] = /([\w.]*\.)?(\w*)$/.exec(text.slice(0, column)) ?? []
    const frame = frameId === undefined ? undefined : this.#frame(frameId)
    let names: string[] = [...(frame?.locals.keys() ?? []), ...this.#machine().globals.keys()]
    if (path) {
      const of = this.#compute(path.slice(0, -1), frame, true)
      names = of instanceof Map ? [...of.keys()] : []
    }
    const found = [...new Set(names)].filter((name) => name.startsWith(part))
    return found.map((label) => ({ label, type: path ? 'property' : 'variable', start: column - part.length, length: part.length }))
  }

  async exceptionInfo(threadId: number): Promise<Contract.ExceptionInfo | undefined> {
    this.#requireStop(threadId)
    if (!this.#error) return undefined
    const { error, caught } = this.#error
    return {
      id: 'ToyError',
      description: error.message,
      uncaught: !caught,
      stack: this.#machine()
        .frames.map(({ name }) => name)
        .join('\n'),
    }
  }

  async readMemory(reference: string, offset: number, count: number): Promise<{ data: Uint8Array; unreadable: number }> {
    const container = this.#container(Number(reference))
    if (container.kind !== 'value' || !(container.value instanceof Uint8Array))
      throw new LlmspellError('no memory', { code: 'debug.bad_request' })
    const data = container.value.slice(offset, offset + count)
    return { data, unreadable: count - data.length }
  }

  async resume(threadId: number, mode: Contract.ResumeMode): Promise<void> {
    this.calls.push(mode)
    this.#requireStop(threadId)
    const machine = this.#machine()
    this.#mode = { mode, depth: machine.frames.length }
    this.#forget()
    // The answer is heard before what it causes.
    if (mode === 'stepBack') setImmediate(() => this.#leave(Math.max(1, machine.steps - 1)))
    else if (mode === 'reverseContinue') setImmediate(() => this.#leave(1))
    else setImmediate(() => this.#leave(undefined))
  }

  async restartFrame(frameId: number): Promise<void> {
    const { entered } = this.#frame(frameId)
    this.#forget()
    setImmediate(() => this.#leave(entered + 1))
  }

  async pause(_threadId: number): Promise<void> {
    this.#pausing = true
  }

  async loadedSources(): Promise<string[]> {
    return [...this.#sources.keys()]
  }

  async sourceText(source: string): Promise<string | undefined> {
    return this.#sources.get(source)?.code
  }

  // ---- within ----

  #bind(source: string, breakpoint: Breakpoint, tell: boolean): Contract.BoundBreakpoint {
    breakpoint.at = this.#sources.get(source)?.lines.find((line) => line >= breakpoint.line)
    const { id, at } = breakpoint
    const bound = at === undefined ? { id, verified: false } : { id, verified: true, line: at }
    if (tell && bound.verified) this.#events.emit({ type: 'breakpoint', breakpoint: bound })
    return bound
  }

  #hit(frame: Frame): StoppedEvent | undefined {
    const hit: number[] = []
    for (const breakpoint of this.#breakpoints.get(frame.source) ?? [])
      if (breakpoint.at === frame.line && this.#isMet(breakpoint, frame)) hit.push(breakpoint.id)
    if (hit.length > 0) return { ...stopped('breakpoint'), breakpointIds: hit }
    if (!frame.fresh) return undefined
    for (const breakpoint of this.#functions)
      if (breakpoint.name === frame.name && this.#isMet(breakpoint, frame))
        return { ...stopped('function breakpoint'), breakpointIds: [breakpoint.id] }
    return undefined
  }

  #isMet(breakpoint: Omit<Contract.BreakpointSpec, 'line'> & { hits: number }, frame: Frame): boolean {
    const { condition, hitCondition, logMessage } = breakpoint
    try {
      if (condition !== undefined && !this.#compute(condition, frame)) return false
    } catch (error) {
      this.#say(`the condition '${condition}' fails: ${messageOf(error)}`, frame, 'important')
      if (logMessage === undefined) return true
    }
    breakpoint.hits++
    const hit = hitCondition === undefined ? undefined : parseHitCondition(hitCondition)
    if (hit && !hitConditionMet(hit, breakpoint.hits)) return false
    if (logMessage === undefined) return true
    const text = logMessage.replaceAll(/\{([^}]*)\}/g, (_, expression: string) => {
      try {
        return plain(this.#compute(expression, frame))
      } catch (error) {
        return `{${messageOf(error)}}`
      }
    })
    this.#say(text, frame, 'console')
    return false
  }

  #lookAtError({ error, caught }: Extract<Step, { kind: 'raise' }>, frame: Frame): StoppedEvent | undefined {
    const filter = this.#filters.find(
      (each) => each.filter === (caught ? 'caught' : 'uncaught') || (each.filter === 'tool' && /tool/.test(error.message)),
    )
    if (!filter || (filter.condition !== undefined && !this.#compute(filter.condition, frame))) return undefined
    this.#error = { error, caught }
    return { ...stopped('exception'), text: error.message }
  }

  #say(text: string, frame: Frame, category: 'console' | 'important'): void {
    this.#events.emit({ type: 'output', category, text, source: frame.source, line: frame.line })
  }

  #compute(text: string, frame: Frame | undefined, pure = false): unknown {
    try {
      const machine = this.#machine()
      return machine.complete(machine.evaluate(parseExpression(text), frame, pure))
    } catch (error) {
      if (!(error instanceof ToyError || error instanceof ToySyntaxError)) throw error
      throw new LlmspellError(error.message, { code: 'debug.evaluation_failed', cause: error })
    }
  }

  #assign(to: string, frame: Frame | undefined, text: string): Contract.Variable {
    const value = this.#compute(text, frame)
    try {
      this.#machine().assign(parseExpression(to), value, frame)
    } catch (error) {
      throw new LlmspellError(messageOf(error), { code: 'debug.evaluation_failed', cause: error })
    }
    return this.#show(to, value, to)
  }

  #show(name: string, value: unknown, evaluateName: string): Contract.Variable {
    const text = plain(value)
    const shown = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text
    const variable: Contract.Variable = { name, value: shown, type: value === null ? 'nil' : typeof value, reference: 0, evaluateName }
    if (value instanceof Map || Array.isArray(value) || value instanceof Uint8Array) {
      variable.reference = this.#refer({ kind: 'value', value, path: evaluateName })
      if (value instanceof Map) variable.named = value.size
      else variable.indexed = value.length
      if (value instanceof Uint8Array) variable.memoryReference = String(variable.reference)
    }
    return variable
  }

  #refer(container: Container): number {
    this.#references.set(++this.#lastReference, container)
    return this.#lastReference
  }

  #container(reference: number): Container {
    return this.#references.get(reference) ?? stale(reference)
  }

  #frame(id: number): Frame {
    return this.#frames.get(id) ?? stale(id)
  }

  #requireStop(threadId: number): void {
    if (threadId !== THREAD) throw new LlmspellError(`there is no thread ${threadId}`, { code: 'debug.unknown_thread' })
    if (!this.#stop) throw new LlmspellError('it does not stand still', { code: 'debug.not_stopped' })
  }

  /** What was seen at the stop is stale. */
  #forget(): void {
    this.#stop = undefined
    this.#references = new Map()
    this.#frames = new Map()
    this.#error = undefined
  }

  #leave(goTo: number | undefined): void {
    const goOn = this.#goOn
    this.#goOn = undefined
    goOn?.(goTo)
  }
}

function stopped(reason: Contract.StopReason): StoppedEvent {
  return { type: 'stopped', threadId: THREAD, reason }
}

function stale(reference: number): never {
  throw new LlmspellError(`${reference} is of a stop that is over`, { code: 'debug.stale_reference' })
}

function linesOf(body: readonly Statement[]): number[] {
  return body.flatMap(({ kind, line, body: inner }) => [
    ...(kind === 'def' || kind === 'try' || kind === 'catch' ? [] : [line]),
    ...linesOf(inner),
  ])
}
