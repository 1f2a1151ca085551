import type { Dap, Handlers } from '@llmspell/dap'
import type { CompletionTarget, EvaluateContext } from '../debug-target.ts'
import type { EngineLink } from '../engine-link.ts'
import type { SessionContext } from './session-context.ts'
import { tellChanged, valueToClient } from './variables.ts'

const contexts: readonly string[] = ['watch', 'hover', 'repl', 'clipboard', 'variables'] satisfies readonly EvaluateContext[]

export function evaluationHandlers(context: SessionContext): Pick<Handlers, 'evaluate' | 'setExpression' | 'completions'> {
  const { engines } = context
  return {
    async evaluate({ expression, frameId, context: purpose = 'repl', format }, { signal }) {
      const { link, frame } = placeOf(context, frameId)
      const value = await link.target.evaluate(expression, frame, permitted(context, link, purpose), signal)
      const { value: result, ...rest } = valueToClient(context, link, value, format)
      return { result, ...rest }
    },

    async setExpression({ expression, frameId, value, format }, request) {
      const { link, frame } = placeOf(context, frameId)
      engines.requireControl(link)
      const set = await link.target.setExpression(expression, frame, value, request.signal)
      request.afterResponse(() => tellChanged(context, link))
      return valueToClient(context, link, set, format)
    },

    async completions({ text, column, line, frameId }) {
      const { link, frame } = placeOf(context, frameId)
      const { client } = context
      const start = lineStart(text, line === undefined ? 1 : client.lineFromClient(line))
      const offset = Math.min(Math.max(start + client.columnFromClient(column) - 1, 0), text.length)
      const targets = await link.target.completions(text, offset, frame)
      return { targets: targets.map((target) => completionToClient(context, target)) }
    },
  }
}

/** Without a frame in the namespace where something happened last. */
export function placeOf(
  { references, engines }: SessionContext,
  frameId: number | undefined,
): { link: EngineLink; frame: number | undefined } {
  if (frameId === undefined) return { link: engines.focused(), frame: undefined }
  const { link, id } = references.resolveFrame(frameId)
  return { link, frame: id }
}

/** An observer sees values; what it evaluates must not change any. */
function permitted({ engines }: SessionContext, link: EngineLink, purpose: string): EvaluateContext {
  if (engines.controls(link)) return contexts.includes(purpose) ? (purpose as EvaluateContext) : 'repl'
  if (purpose === 'watch' || purpose === 'hover' || purpose === 'variables' || purpose === 'clipboard') return 'hover'
  engines.requireControl(link)
  return 'hover'
}

function lineStart(text: string, line: number): number {
  let start = 0
  for (let at = 1; at < line; at++) {
    const end = text.indexOf('\n', start)
    if (end < 0) break
    start = end + 1
  }
  return start
}

const completionTypes: readonly string[] = [
  'method',
  'function',
  'constructor',
  'field',
  'variable',
  'class',
  'interface',
  'module',
  'property',
  'unit',
  'value',
  'enum',
  'keyword',
  'snippet',
  'text',
  'color',
  'file',
  'reference',
  'customcolor',
] satisfies readonly Dap.CompletionItemType[]

function completionToClient({ client }: SessionContext, { label, type, detail, start, length }: CompletionTarget): Dap.CompletionItem {
  const described: Dap.CompletionItem = { label, start: client.columnToClient(start + 1), length }
  if (type !== undefined && completionTypes.includes(type)) described.type = type as Dap.CompletionItemType
  if (detail !== undefined) described.detail = detail
  return described
}
