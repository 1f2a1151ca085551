import type { Debugger, Runtime } from 'node:inspector'
import type { ExceptionFilter, ExceptionFilterSpec, ExceptionInfo } from '@llmspell/debug'
import type { AsyncFrame } from './agent.ts'
import type { AgentLink } from './agent-link.ts'
import type { Protocol } from './protocol.ts'
import type { KnownScript, Scripts } from './scripts.ts'
import { showRemote } from './show-remote.ts'

/** An exception at which V8 stands; `uncaught` is what V8 thinks. */
export type Thrown = Runtime.RemoteObject & { uncaught?: boolean }

/** Functions of these globals ask models or run tools. */
const KINDS: Record<string, ExceptionFilter> = { Tool: 'tool', Provider: 'provider', Model: 'provider', Agent: 'provider' }

interface ErrorFacts {
  name: string
  message: string
  stack: string
  call?: string
}

/** Which exceptions stop the script. */
export class ExceptionFilters {
  readonly #protocol: Protocol
  readonly #scripts: Scripts
  readonly #agent: AgentLink
  #filters = new Map<ExceptionFilter, ExceptionFilterSpec>()
  #state = 'none'

  constructor(protocol: Protocol, scripts: Scripts, agent: AgentLink) {
    this.#protocol = protocol
    this.#scripts = scripts
    this.#agent = agent
  }

  /** V8 sees no uncaught error in a plain script, which Node runs inside a catch of its own: it must be evaluated. */
  get wantsEvaluation(): boolean {
    return this.#filters.has('uncaught')
  }

  /** Kinds of host calls whose errors stop. */
  get kinds(): ReadonlySet<ExceptionFilter> {
    return new Set([...this.#filters.keys()].filter((filter) => filter === 'tool' || filter === 'provider'))
  }

  async set(filters: readonly ExceptionFilterSpec[], running: KnownScript | undefined): Promise<void> {
    this.#filters = new Map(filters.map((one) => [one.filter, one]))
    this.#state = this.#stateFor(running)
    await this.#protocol.post('Debugger.setPauseOnExceptions', { state: this.#state })
  }

  /** A script is about to run. Sent to V8 before this returns. */
  prepare(script: KnownScript): void {
    const state = this.#stateFor(script)
    if (state === this.#state) return
    this.#state = state
    this.#protocol.send('Debugger.setPauseOnExceptions', { state })
  }

  /**
   * After the first `await` at the top of a cell V8 takes every error for caught, because the evaluation itself waits for the cell: then all
   * are looked at, which takes its time where many are thrown.
   */
  #stateFor(script: KnownScript | undefined): 'all' | 'caught' | 'uncaught' | 'none' {
    const has = (filter: ExceptionFilter): boolean => this.#filters.has(filter)
    if (has('tool') || has('provider')) return 'all'
    if (has('caught')) return 'all'
    if (!has('uncaught')) return 'none'
    return script === undefined || /\bawait\b/.test(script.record?.prepared.code ?? '') ? 'all' : 'uncaught'
  }

  /** Whether it stops, and what it really is. */
  async judge(thrown: Thrown, frames: readonly Debugger.CallFrame[]): Promise<{ uncaught: boolean } | undefined> {
    const uncaught = thrown.uncaught === true || (this.#filters.size > 0 && (await this.#leavesCell(frames)))
    // That of a call which the script awaits is thrown by the engine, only to be seen.
    const isOwn = frames.some(({ location }) => this.#scripts.get(location.scriptId)?.hidden === false)
    const [top] = frames
    const isRaised = top !== undefined && this.#scripts.get(top.location.scriptId)?.url === 'llmspell:raise'
    const wanted: ExceptionFilter[] = isOwn || thrown.uncaught ? [uncaught ? 'uncaught' : 'caught'] : []
    if ((isOwn || isRaised) && this.kinds.size > 0 && thrown.subtype === 'error' && thrown.objectId !== undefined) {
      const { call } = await this.#agent.value<ErrorFacts>('error', { objectId: thrown.objectId })
      const kind = call === undefined ? undefined : KINDS[call.slice(0, call.indexOf('.'))]
      if (kind) wanted.push(kind)
    }
    for (const filter of wanted) {
      const spec = this.#filters.get(filter)
      if (spec && (await this.#holds(spec, frames))) return { uncaught }
    }
    return undefined
  }

  async describe(thrown: Thrown): Promise<ExceptionInfo> {
    const uncaught = thrown.uncaught === true
    if (thrown.subtype !== 'error' || thrown.objectId === undefined) return { id: thrown.type, description: showRemote(thrown), uncaught }
    const { name, message, stack } = await this.#agent.value<ErrorFacts>('error', { objectId: thrown.objectId })
    return { id: name || 'Error', description: message, uncaught, ...(stack !== '' && { stack }) }
  }

  /** In the topmost frame of the user, with the error at hand. One that fails holds, as a breakpoint's does. */
  async #holds({ condition }: ExceptionFilterSpec, frames: readonly Debugger.CallFrame[]): Promise<boolean> {
    if (condition === undefined || condition.trim() === '') return true
    const frame = frames.find(({ location }) => this.#scripts.get(location.scriptId)?.hidden === false)
    if (!frame) return true
    const { result, exceptionDetails } = await this.#protocol.post<Runtime.EvaluateReturnType>('Debugger.evaluateOnCallFrame', {
      callFrameId: frame.callFrameId,
      expression: `!!(${condition}\n)`,
      silent: true,
      returnByValue: true,
      timeout: 1000,
    })
    return exceptionDetails !== undefined || result.value === true
  }

  /** Whether nothing of the user's own is between the error and the end of the cell. */
  async #leavesCell(frames: readonly Debugger.CallFrame[]): Promise<boolean> {
    let rejected = false
    for (const frame of frames) {
      const script = this.#scripts.get(frame.location.scriptId)
      if (!script || script.hidden) continue
      const place = { line: frame.location.lineNumber + 1, column: (frame.location.columnNumber ?? 0) + 1 }
      const places = await this.#scripts.places(script)
      // What an async function rejects comes out where it is awaited; who keeps the promise may catch later.
      if (rejected && !places.awaitsAt(place)) return false
      const fate = places.fateAt(place)
      if (fate === 'caught' || fate === 'unknown') return false
      rejected = fate === 'rejects'
      if (isTop(frame, script)) return true
    }
    const waiting = await this.#waiting(frames)
    for (const [at, one] of waiting.entries()) {
      if (one.url === '') continue
      const script = this.#scripts.find(one.url, one.hash)
      if (!script || script.hidden) return false
      const places = await this.#scripts.places(script)
      const index = /^Promise\.all \(index (\d+)\)$/.exec(waiting[at - 1]?.name ?? '')?.[1]
      const fate = places.takesBefore(one, index === undefined ? undefined : Number(index)) ? 'caught' : places.fateAt(one)
      if (fate === 'caught' || fate === 'unknown') return false
      if (one.name === '' && fate === 'leaves' && script.record) return true
    }
    return false
  }

  async #waiting(frames: readonly Debugger.CallFrame[]): Promise<AsyncFrame[]> {
    const [top] = frames
    return top ? await this.#agent.waiting(top.callFrameId) : []
  }
}

/** The top of a cell that is evaluated. */
function isTop({ functionName, functionLocation }: Debugger.CallFrame, script: KnownScript): boolean {
  return (
    script.record !== undefined &&
    functionName === '' &&
    (!functionLocation || (functionLocation.lineNumber === 0 && (functionLocation.columnNumber ?? 0) === 0))
  )
}
