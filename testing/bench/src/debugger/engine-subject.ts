import { withTimeout } from '@llmspell/base'
import type { DebugTarget, DebugTargetEvent } from '@llmspell/debug'
import type { ExecuteOutcome, Language, ScriptEngine } from '@llmspell/script'
import type { ModuleDescription } from '@llmspell/script/catalogue'
import { javascriptEngineFactory } from '@llmspell/script/javascript'
import { luaEngineFactory } from '@llmspell/script/lua'
import { RecordingHost } from '@llmspell/script/testing'
import type { Call, Program, State } from './programs.ts'
import type { DebuggedSubject } from './subject.ts'

const WAIT_MS = 120_000
/** The optimised code of a WebAssembly function is there a moment after the function got hot, and used when it is next entered. */
const SETTLE_MS = 150

/** A host function that does nothing: what a script pays to reach its kernel and be back. */
const hostModule: ModuleDescription = {
  name: 'Bench',
  doc: 'For measurements.',
  functions: [{ name: 'nothing', doc: 'Does nothing.', parameters: [], result: { type: 'nil', doc: 'nothing' } }],
}

/** An engine of the product, debugged through the same contract as every debug session uses. */
export class EngineSubject implements DebuggedSubject {
  readonly name: string
  readonly #engine: ScriptEngine
  readonly #program: Program
  readonly #language: Language
  readonly #target: DebugTarget
  readonly #stops: Extract<DebugTargetEvent, { type: 'stopped' }>[] = []
  #stopped: (() => void) | undefined
  #executions = 0

  private constructor(name: string, engine: ScriptEngine, program: Program, language: Language) {
    this.name = name
    this.#engine = engine
    this.#program = program
    this.#language = language
    if (!engine.debugTarget) throw new Error(`the engine of ${language} has no debug target`)
    this.#target = engine.debugTarget
    this.#target.onEvent((event) => {
      if (event.type !== 'stopped') return
      this.#stops.push(event)
      this.#stopped?.()
    })
  }

  static async open(name: string, language: 'lua' | 'typescript', program: Program): Promise<EngineSubject> {
    const factory =
      language === 'lua' ? luaEngineFactory({ catalogue: [hostModule] }) : javascriptEngineFactory({ catalogue: [hostModule] })
    const engine = factory.create(new RecordingHost(), { cwd: process.cwd(), env: {} })
    await withTimeout(engine.start(), WAIT_MS, `the engine of ${language}`)
    const subject = new EngineSubject(name, engine, program, language)
    await subject.#execute(program.text, program.file)
    await subject.#execute(program.work.fib.little)
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS))
    return subject
  }

  get target(): DebugTarget {
    return this.#target
  }

  async time(call: Call, state: State): Promise<number> {
    await this.enter(state, call)
    const { whole, little } = this.#program.work[call]
    return await this.cpu(little, whole)
  }

  /** Processor time of `whole`, in milliseconds. */
  async cpu(little: string, whole: string): Promise<number> {
    await this.#execute(little)
    if (this.#language === 'lua') {
      // The engine is a thread of this process, which does nothing else meanwhile.
      const before = process.cpuUsage()
      await this.#execute(whole)
      const { user, system } = process.cpuUsage(before)
      return (user + system) / 1000
    }
    const timed = `{ const before = process.cpuUsage(); ${whole}; const { user, system } = process.cpuUsage(before); globalThis.took = (user + system) / 1000 }\n globalThis.took`
    return Number((await this.#execute(timed)).result?.['text/plain'])
  }

  async enter(state: State, call: Call): Promise<void> {
    if (state === 'off') {
      await this.#target.detach()
      return
    }
    await this.#target.attach({})
    const line = state === 'attached' ? undefined : this.#program.line(state === 'inside' ? call : 'elsewhere')
    await this.#set(line === undefined ? [] : [{ id: 1, line }])
  }

  async passes(count: number, condition: boolean): Promise<number> {
    await this.#target.attach({})
    await this.#set(condition ? [{ id: 1, line: this.#program.line('hit'), condition: this.#program.neverTrue }] : [])
    await this.#execute(this.#program.hits(Math.ceil(count / 10)))
    if (this.#language !== 'lua') {
      const timed = `{ const from = performance.now(); ${this.#program.hits(count)}; globalThis.took = performance.now() - from }\n globalThis.took`
      return Number((await this.#execute(timed)).result?.['text/plain'])
    }
    const from = performance.now()
    await this.#execute(this.#program.hits(count))
    return performance.now() - from
  }

  /** Milliseconds of one blocking call of a host function that does nothing. */
  async hostCall(count: number): Promise<number> {
    await this.#target.detach()
    const code = (times: number): string =>
      this.#language === 'lua' ? `for i = 1, ${times} do Bench.nothing() end` : `for (let i = 0; i < ${times}; i++) await Bench.nothing()`
    await this.#execute(code(Math.ceil(count / 10)))
    const from = performance.now()
    await this.#execute(code(count))
    return (performance.now() - from) / count
  }

  async steps(count: number): Promise<number[]> {
    await this.#target.attach({})
    return await this.stepping(count)
  }

  /** Steps as the target is attached; `more` is done at the last stop. */
  async stepping(count: number, more?: (threadId: number) => Promise<void>): Promise<number[]> {
    await this.#set([{ id: 1, line: this.#program.line('step') }])
    const run = this.#begin(this.#program.steps)
    let stop = await this.nextStop()
    const { threadId } = stop
    await this.#set([])
    const times: number[] = []
    for (let index = 0; index < count; index++) {
      const from = performance.now()
      await this.#target.resume(threadId, 'next')
      stop = await this.nextStop()
      const { frames } = await this.#target.stackTrace(stop.threadId, 0, 20)
      const scopes = await this.#target.scopes(frames[0]?.id ?? 0)
      const locals = await this.#target.variables(scopes[0]?.reference ?? 0, {})
      if (!locals.some(({ name }) => name === 'count')) throw new Error(`no local "count" in ${JSON.stringify(locals)}`)
      times.push(performance.now() - from)
    }
    await more?.(threadId)
    await this.#engine.interrupt()
    await withTimeout(run, WAIT_MS, 'the stepped run to end')
    return times
  }

  async close(): Promise<void> {
    await this.#target.detach()
    await this.#engine.dispose()
  }

  async nextStop(): Promise<Extract<DebugTargetEvent, { type: 'stopped' }>> {
    if (this.#stops.length === 0) {
      const { promise, resolve } = Promise.withResolvers<void>()
      this.#stopped = resolve
      await withTimeout(promise, WAIT_MS, 'a stop')
    }
    return this.#stops.shift() as Extract<DebugTargetEvent, { type: 'stopped' }>
  }

  async #set(breakpoints: { id: number; line: number; condition?: string }[]): Promise<void> {
    const bound = await this.#target.setBreakpoints(this.#program.file, breakpoints)
    if (bound.some(({ verified }) => !verified)) throw new Error(`a breakpoint that does not bind: ${JSON.stringify(bound)}`)
  }

  #begin(code: string, source?: string): Promise<ExecuteOutcome> {
    const executionId = `bench-${++this.#executions}`
    return this.#engine.execute({
      executionId,
      code,
      language: this.#language,
      source: source ?? `cell [${this.#executions}]`,
      wantResult: source === undefined,
    })
  }

  async #execute(code: string, source?: string): Promise<ExecuteOutcome> {
    const outcome = await withTimeout(this.#begin(code, source), WAIT_MS, code)
    if (outcome.status !== 'ok') throw new Error(`${code}: ${outcome.error?.evalue}`)
    return outcome
  }
}
