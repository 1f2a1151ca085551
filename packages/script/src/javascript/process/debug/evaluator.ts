import type { Debugger, Runtime } from 'node:inspector'
import { LlmspellError, messageOf } from '@llmspell/base'
import type { CompletionTarget, EvaluateContext, RenderedValue, Scope, Variable } from '@llmspell/debug'
import type { Declarations } from '../../source/declarations.ts'
import { DEBUG_HOOK } from '../../source/rewrite.ts'
import { KEYWORDS, targetAt } from '../completion.ts'
import { type AgentLink, evaluationError } from './agent-link.ts'
import { isConstant } from './constants.ts'
import { checkCode } from './expressions.ts'
import type { Frame } from './frames.ts'
import type { Protocol } from './protocol.ts'
import type { Scripts } from './scripts.ts'
import { isShown, NAME, type Reference, type ScopeReference, type Variables } from './variables.ts'

const COMPLETIONS_MAX = 1000
/** How long an expression may run: nothing can stop it in the meantime. */
const TIMEOUT_MS: Record<EvaluateContext, number> = { hover: 1000, watch: 3000, variables: 3000, clipboard: 3000, repl: 4000 }

interface NewValue {
  argument: Runtime.CallArgument
  value: Runtime.RemoteObject
}

/** Expressions and variables of the script. */
export class Evaluator {
  readonly #protocol: Protocol
  readonly #scripts: Scripts
  readonly #variables: Variables
  readonly #agent: AgentLink
  readonly #names: Declarations

  constructor(protocol: Protocol, scripts: Scripts, variables: Variables, agent: AgentLink, names: Declarations) {
    this.#scripts = scripts
    this.#protocol = protocol
    this.#variables = variables
    this.#agent = agent
    this.#names = names
  }

  async scopes({ call, script }: Frame): Promise<Scope[]> {
    if (!call) return []
    const chain = call.scopeChain
    const global = chain.find((one) => one.type === 'global')?.object.objectId
    const title = script?.kind === 'cell' ? 'Cell variables' : 'Script'
    const out: Scope[] = []
    let scripts = false
    for (const [index, { type, name, object }] of chain.entries()) {
      if (object.objectId === undefined) continue
      const { objectId } = object
      const reference = (extra: ScopeReference['extra'], held = objectId, shared?: string): number =>
        this.#variables.refer({
          kind: 'scope',
          objectId: held,
          callFrameId: call.callFrameId,
          index,
          type,
          extra,
          inner: chain.slice(0, index).flatMap((one) => (one.object.objectId === undefined ? [] : [one.object.objectId])),
          ...(shared !== undefined && { global: shared }),
        })
      if (type === 'script') {
        scripts = true
        out.push({ name: title, reference: reference([], objectId, global), expensive: false })
      } else if (type === 'global') {
        if (!scripts) {
          const empty = await this.#agent.object('pick', this.#variables.group, { objectId }, { value: '[]' })
          out.push({ name: title, reference: reference([], empty, objectId), expensive: false })
        }
        out.push({ name: 'Global', hint: 'globals', reference: reference([]), expensive: true })
      } else {
        const extra: ScopeReference['extra'] = []
        if (index === 0 || type === 'local') {
          if (type === 'local' && call.this.type !== 'undefined' && call.this.className !== 'global')
            extra.push({ name: 'this', value: call.this })
          if (call.returnValue && index === 0) extra.push({ name: 'Return value', value: call.returnValue })
        }
        const known = SCOPE_NAMES[type] ?? type
        out.push({
          name: type === 'closure' && name ? `${known} (${name})` : known,
          ...(type === 'local' && { hint: 'locals' as const }),
          reference: reference(extra),
          expensive: false,
        })
      }
    }
    return out
  }

  async evaluate(text: string, frame: Frame | undefined, context: EvaluateContext): Promise<Variable> {
    const checked = checkCode(text)
    if ('problem' in checked) throw notEvaluated(checked.problem)
    const boxed = checked.expression ? `${DEBUG_HOOK}.agent.box((${bare(checked.code)}\n))` : checked.code
    // It may have called anything.
    if (context !== 'hover' && frame && checked.expression?.type !== 'Identifier') this.#variables.changed()
    const result = await this.#run(boxed, frame, context === 'hover', TIMEOUT_MS[context])
    if (context === 'clipboard' && result.type === 'string') return { name: '', value: String(result.value), type: 'string', reference: 0 }
    const shown =
      result.objectId === undefined
        ? result
        : await this.#agent.call('box', { group: this.#variables.group }, { objectId: result.objectId })
    return this.#variables.describe(text, shown, checked.expression ? text : undefined, context === 'clipboard')
  }

  async setVariable(reference: Reference, name: string, value: string, frame: Frame | undefined): Promise<Variable> {
    const made = await this.#argument(value, frame)
    if (reference.kind === 'scope') return await this.#setInScope(reference, name, made, frame)
    if (reference.kind === 'entries') {
      const result = await this.#agent.call(
        'setEntry',
        { group: this.#variables.group },
        { objectId: reference.objectId },
        { value: Number(name) },
        made.argument,
      )
      return this.#variables.describe(name, result)
    }
    if (reference.kind === 'namespace') return await this.setExpression(name, undefined, value)
    const target = reference.kind === 'getter' ? reference.holder : reference.objectId
    const result = await this.#agent.call('set', { group: this.#variables.group }, { objectId: target }, { value: name }, made.argument)
    return this.#variables.describe(name, result)
  }

  /** A value as the result of a cell would show it. */
  async render(text: string, frame: Frame | undefined): Promise<RenderedValue> {
    const checked = checkCode(text)
    if ('problem' in checked || !checked.expression) throw notEvaluated('problem' in checked ? checked.problem : 'not an expression')
    const { value } = await this.#run(`${DEBUG_HOOK}.render((${bare(checked.code)}\n))`, frame, false, TIMEOUT_MS.repl)
    if (typeof value === 'string') return { data: JSON.parse(value) as Record<string, unknown>, metadata: {} }
    const shown = await this.evaluate(text, frame, 'repl')
    return { data: { 'text/plain': shown.value }, metadata: {} }
  }

  async setExpression(expression: string, frame: Frame | undefined, value: string): Promise<Variable> {
    const scope = frame && NAME.test(expression.trim()) ? await this.#scopeOf(frame, expression.trim()) : undefined
    if (scope) return await this.#setInScope(scope, expression.trim(), await this.#argument(value, frame), frame)
    return await this.evaluate(`${expression} = (${value}\n)`, frame, 'repl')
  }

  async completions(text: string, column: number, frame: Frame | undefined): Promise<CompletionTarget[]> {
    const target = targetAt(text, Math.min(column, text.length), false)
    if (!target) return []
    const { object, prefix, start } = target
    const found = new Map<string, string>()
    const add = async (argument: Runtime.CallArgument, type?: string): Promise<void> => {
      const names = await this.#agent.value<[string, string][]>('names', argument, { value: prefix }, { value: COMPLETIONS_MAX })
      for (const [name, kind] of names) if (!found.has(name) && isShown(name)) found.set(name, kind === 'function' ? kind : (type ?? kind))
    }
    if (object !== undefined) {
      const checked = checkCode(object)
      if ('problem' in checked) return []
      try {
        const value = await this.#run(checked.code, frame, true, TIMEOUT_MS.hover)
        if (value.subtype !== 'proxy') await add(argumentOf(value))
      } catch {
        return []
      }
    } else {
      for (const { type, object: scope } of frame?.call?.scopeChain ?? [])
        if (type !== 'global' && scope.objectId !== undefined) await add({ objectId: scope.objectId }, 'variable')
      const { names } = await this.#protocol.post<{ names: string[] }>('Runtime.globalLexicalScopeNames', {})
      for (const name of names) if (name.startsWith(prefix)) found.set(name, 'variable')
      await add(argumentOf(await this.#run('globalThis', undefined, true, TIMEOUT_MS.hover)), 'variable')
      for (const word of KEYWORDS) if (word.startsWith(prefix) && !found.has(word)) found.set(word, 'keyword')
    }
    return [...found].map(([label, type]) => ({ label, type, start, length: prefix.length }))
  }

  async #setInScope(scope: ScopeReference, name: string, { argument, value }: NewValue, frame: Frame | undefined): Promise<Variable> {
    if (!frame) throw notEvaluated('the frame of this scope is gone')
    const target = scope.type === 'global' ? scope.objectId : scope.global
    if (
      target !== undefined &&
      (scope.type === 'global' || (await this.#agent.value<string[]>('made', { objectId: target })).includes(name))
    ) {
      const result = await this.#agent.call('set', { group: this.#variables.group }, { objectId: target }, { value: name }, argument)
      return this.#variables.describe(name, result, name)
    }
    if (!(await this.#agent.value<string[]>('own', { objectId: scope.objectId })).includes(name))
      throw notEvaluated(`there is no variable ${name} in this scope`)
    if (await this.#isConstant(scope, name, frame)) throw notEvaluated(`TypeError: Assignment to constant variable '${name}'.`)
    await this.#protocol.post('Debugger.setVariableValue', {
      scopeNumber: scope.index,
      variableName: name,
      newValue: argument,
      callFrameId: scope.callFrameId,
    })
    this.#variables.changed()
    return this.#variables.describe(name, value, name)
  }

  /** The innermost scope, but for the global one, that has the name. */
  async #scopeOf({ call }: Frame, name: string): Promise<ScopeReference | undefined> {
    for (const [index, { type, object }] of (call?.scopeChain ?? []).entries()) {
      if (!call || type === 'global' || object.objectId === undefined) continue
      if (!(await this.#agent.value<string[]>('own', { objectId: object.objectId })).includes(name)) continue
      return { kind: 'scope', objectId: object.objectId, callFrameId: call.callFrameId, index, type, extra: [], inner: [] }
    }
    return undefined
  }

  async #isConstant(scope: ScopeReference, name: string, { call, script }: Frame): Promise<boolean> {
    if (scope.type === 'script') return this.#names.constant.has(name)
    const end = call?.scopeChain[scope.index]?.endLocation
    if (!end || !script) return false
    return isConstant(await this.#scripts.text(script), name, { line: end.lineNumber + 1, column: (end.columnNumber ?? 0) + 1 })
  }

  async #argument(text: string, frame: Frame | undefined): Promise<NewValue> {
    const checked = checkCode(text)
    if ('problem' in checked || !checked.expression)
      throw notEvaluated('problem' in checked ? checked.problem : 'the new value is not an expression')
    const value = await this.#run(checked.code, frame, false, TIMEOUT_MS.repl)
    const shown =
      value.objectId === undefined ? value : await this.#agent.call('box', { group: this.#variables.group }, { objectId: value.objectId })
    return { argument: argumentOf(value), value: shown }
  }

  async #run(code: string, frame: Frame | undefined, harmless: boolean, timeout: number): Promise<Runtime.RemoteObject> {
    const common = {
      expression: code,
      objectGroup: this.#variables.group,
      silent: true,
      throwOnSideEffect: harmless,
      timeout,
    }
    const evaluated = frame?.call
      ? this.#protocol.post<Debugger.EvaluateOnCallFrameReturnType>('Debugger.evaluateOnCallFrame', {
          ...common,
          callFrameId: frame.call.callFrameId,
        })
      : this.#protocol.post<Runtime.EvaluateReturnType>('Runtime.evaluate', { ...common, disableBreaks: true })
    const { result, exceptionDetails } = await evaluated.catch((error: unknown): never => {
      if (messageOf(error) !== 'Execution was terminated') throw error
      throw notEvaluated(`the evaluation took longer than ${timeout / 1000} s and was ended`)
    })
    if (!exceptionDetails) return result
    throw evaluationError(exceptionDetails)
  }
}

const SCOPE_NAMES: Record<string, string> = {
  local: 'Local',
  block: 'Block',
  closure: 'Closure',
  catch: 'Catch',
  module: 'Module',
  eval: 'Eval',
  with: 'With',
}

function argumentOf(value: Runtime.RemoteObject): Runtime.CallArgument {
  if (value.objectId !== undefined) return { objectId: value.objectId }
  if (value.unserializableValue !== undefined) return { unserializableValue: value.unserializableValue }
  return { value: value.value }
}

function notEvaluated(message: string): LlmspellError {
  return new LlmspellError(message, { code: 'debug.evaluation_failed' })
}

/** Without the semicolon that a statement may end with. */
function bare(code: string): string {
  return code.replace(/;\s*$/, '')
}
