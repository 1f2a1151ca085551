import type { CompletionTarget, EvaluateContext, RenderedValue, Variable } from '@llmspell/debug'
import { type EventResult, type LuaFunction, type LuaInspector, type LuaProbe, type LuaVM, Signal } from '@llmspell/lua'
import type { ProgramView } from './program-view.ts'
import { Refusal } from './refusal.ts'

export interface EvaluationParts {
  readonly vm: LuaVM
  readonly probe: LuaProbe
  readonly view: ProgramView
  readonly inspector: LuaInspector
  /** A value as a MIME bundle. */
  readonly bundle: LuaFunction
  toBundle(value: unknown): Record<string, unknown>
  isInterrupted(): boolean
}

/** Code that the user evaluates beside the script: it may never end by itself, and what stops it must not stop the script. */
export class Evaluations {
  readonly #parts: EvaluationParts
  #isActive = false
  #isCancelled = false

  constructor(parts: EvaluationParts) {
    this.#parts = parts
  }

  get isActive(): boolean {
    return this.#isActive
  }

  /** The user has ended it. */
  get isCancelled(): boolean {
    return this.#isCancelled
  }

  /** Ends the one under way at its next safe point. */
  cancel(): void {
    this.#isCancelled = true
  }

  /** The VM stands at a safe point of the evaluated code. */
  attention(): EventResult {
    return this.#isCancelled || this.#parts.isInterrupted() ? 'interrupt-hard' : 'continue'
  }

  /** Code of the user that the debugger runs by itself, at a breakpoint. */
  guard<T>(work: () => T): T {
    const wasActive = this.#isActive
    this.#isActive = true
    this.#isCancelled = false
    try {
      return work()
    } finally {
      this.#isActive = wasActive
      this.#takeBackSignal()
    }
  }

  evaluate(expression: string, frameId: number | undefined, context: EvaluateContext): Variable {
    const { probe, view } = this.#parts
    if (expression.trim() === '') throw new Refusal('debug.evaluation_failed', 'there is nothing to evaluate')
    return this.#perform(() => {
      const frame = view.frameOf(frameId)
      const found =
        context === 'hover' ? probe.evaluateQuietly(expression, frame) : probe.evaluate(expression, frame, context === 'clipboard')
      const shown = view.show(found, frame, expression)
      return { ...shown, name: expression, ...(found.none && context === 'repl' && { value: '' }) }
    })
  }

  setVariable(reference: number, name: string, value: string): Variable {
    return this.#perform(() => this.#parts.view.setVariable(reference, name, value))
  }

  setExpression(expression: string, frameId: number | undefined, value: string): Variable {
    const { probe, view } = this.#parts
    return this.#perform(() => {
      const frame = view.frameOf(frameId)
      return { ...view.show(probe.assign(expression, value, frame), frame, expression), name: expression }
    })
  }

  render(expression: string, frameId: number | undefined): RenderedValue {
    const { probe, view, bundle, toBundle } = this.#parts
    return this.#perform(() => ({ data: toBundle(probe.render(expression, view.frameOf(frameId), bundle)), metadata: {} }))
  }

  /** Runs no code of the user. */
  completions(text: string, column: number, frameId: number | undefined): CompletionTarget[] {
    const { inspector, view } = this.#parts
    const { items, start, end } = inspector.complete(text, column, view.frameOf(frameId))
    const isField = /[.:]\s*$/.test(text.slice(0, start))
    return items.map(({ text: label, kind, signature }) => ({
      label,
      type: kind === 'function' || kind === 'module' || kind === 'keyword' ? kind : isField ? 'property' : 'variable',
      ...(signature !== undefined && { detail: label + signature }),
      start,
      length: end - start,
    }))
  }

  #perform<T>(work: () => T): T {
    try {
      return this.guard(work)
    } catch (error) {
      if (error instanceof Error && error.name === 'LuaInterrupted')
        throw new Refusal('debug.evaluation_failed', 'the evaluation was interrupted')
      throw error
    }
  }

  #takeBackSignal(): void {
    const { vm, isInterrupted } = this.#parts
    const { control } = vm
    if (control.signal !== Signal.hard || control.exitCode !== undefined || isInterrupted()) return
    control.clearSignal()
    control.attention()
  }
}
