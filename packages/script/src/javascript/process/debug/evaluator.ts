import type { Debugger, Runtime } from 'node:inspector'
import { LlmspellError } from '@llmspell/base'
import type { CompletionTarget, EvaluateContext, RenderedValue, Scope, Variable } from '@llmspell/debug'
import type { Declarations } from '../../source/declarations.ts'
import { DEBUG_HOOK } from '../../source/rewrite.ts'
import { type AgentLink, evaluationError } from './agent-link.ts'
import { checkCode } from './expressions.ts'
import type { Frame } from './frames.ts'
import type { Protocol } from './protocol.ts'
import type { Reference, ScopeReference, Variables } from './variables.ts'

/** How long an expression may run: nothing can stop it in the meantime. */
const TIMEOUT_MS: Record<EvaluateContext, number> = { hover: 1000, watch: 3000, variables: 3000, clipboard: 3000, repl: 4000 }

/** Expressions and variables of the script. */
export class Evaluator {
  readonly #protocol: Protocol
  readonly #variables: Variables
  readonly #agent: AgentLink
  readonly #names: Declarations

  constructor(protocol: Protocol, variables: Variables, agent: AgentLink, names: Declarations) {
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
    const result = await this.#run(boxed, frame, context === 'hover', TIMEOUT_MS[context])
    if (context === 'clipboard' && result.type === 'string') return { name: '', value: String(result.value), type: 'string', reference: 0 }
    return this.#variables.describe(text, result, checked.expression ? text : undefined, context === 'clipboard')
  }

  async setVariable(reference: Reference, name: string, value: string, frame: Frame | undefined): Promise<Variable> {
    const made = await this.#argument(value, frame)
    if (reference.kind === 'scope') return await this.#setInScope(reference, name, made)
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
    return await this.evaluate(`${expression} = (${value}\n)`, frame, 'repl')
  }

  async completions(_text: string, _column: number, _frame: Frame | undefined): Promise<CompletionTarget[]> {
    return []
  }

  async #setInScope(
    scope: ScopeReference,
    name: string,
    { argument, value }: { argument: Runtime.CallArgument; value: Runtime.RemoteObject },
  ): Promise<Variable> {
    const target = scope.type === 'global' ? scope.objectId : scope.global
    if (
      target !== undefined &&
      (scope.type === 'global' || (await this.#agent.value<string[]>('made', { objectId: target })).includes(name))
    ) {
      const result = await this.#agent.call('set', { group: this.#variables.group }, { objectId: target }, { value: name }, argument)
      return this.#variables.describe(name, result, name)
    }
    await this.#protocol.post('Debugger.setVariableValue', {
      scopeNumber: scope.index,
      variableName: name,
      newValue: argument,
      callFrameId: scope.callFrameId,
    })
    return this.#variables.describe(name, value, name)
  }

  async #argument(text: string, frame: Frame | undefined): Promise<{ argument: Runtime.CallArgument; value: Runtime.RemoteObject }> {
    const checked = checkCode(text)
    if ('problem' in checked || !checked.expression)
      throw notEvaluated('problem' in checked ? checked.problem : 'the new value is not an expression')
    const value = await this.#run(checked.code, frame, false, TIMEOUT_MS.repl)
    const argument: Runtime.CallArgument =
      value.objectId !== undefined
        ? { objectId: value.objectId }
        : value.unserializableValue !== undefined
          ? { unserializableValue: value.unserializableValue }
          : { value: value.value }
    return { argument, value }
  }

  async #run(code: string, frame: Frame | undefined, harmless: boolean, timeout: number): Promise<Runtime.RemoteObject> {
    const common = {
      expression: code,
      objectGroup: this.#variables.group,
      generatePreview: true,
      silent: true,
      throwOnSideEffect: harmless,
      timeout,
    }
    const { result, exceptionDetails } = frame?.call
      ? await this.#protocol.post<Debugger.EvaluateOnCallFrameReturnType>('Debugger.evaluateOnCallFrame', {
          ...common,
          callFrameId: frame.call.callFrameId,
        })
      : await this.#protocol.post<Runtime.EvaluateReturnType>('Runtime.evaluate', { ...common, disableBreaks: true })
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

function notEvaluated(message: string): LlmspellError {
  return new LlmspellError(message, { code: 'debug.evaluation_failed' })
}

/** Without the semicolon that a statement may end with. */
function bare(code: string): string {
  return code.replace(/;\s*$/, '')
}
