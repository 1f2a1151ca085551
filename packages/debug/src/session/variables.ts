import { LlmspellError } from '@llmspell/base'
import type { Dap, Handlers } from '@llmspell/dap'
import type { Variable } from '../debug-target.ts'
import type { EngineLink } from '../engine-link.ts'
import { notebookType } from './notebook/type-names.ts'
import type { VariablesReference } from './references.ts'
import type { SessionContext } from './session-context.ts'
import { requireNatural, totalOf } from './stack.ts'

/** A target gives no more at once. */
const LARGEST_PAGE = 10_000

export function variableHandlers(context: SessionContext): Pick<Handlers, 'variables' | 'setVariable'> {
  const { references, engines } = context
  return {
    async variables({ variablesReference, filter, start = 0, count = 0, format }) {
      requireNatural('start', start)
      requireNatural('count', count)
      if (filter !== undefined && filter !== 'indexed' && filter !== 'named')
        throw new LlmspellError(`filter must be 'indexed' or 'named'`, { code: 'debug.bad_request', data: { filter } })
      const reference = references.resolveVariables(variablesReference)
      const { link, from } = reference
      const kind = filter ?? from?.filter
      const first = start + (from?.start ?? 0)
      const most = count === 0 || count > LARGEST_PAGE ? LARGEST_PAGE : count
      const page = { ...(kind && { filter: kind }), ...(first > 0 && { start: first }), count: most }
      const variables = (await link.target.variables(reference.reference, page)).map((variable) =>
        variableToClient(context, link, variable, format),
      )
      if (count === 0 && variables.length >= LARGEST_PAGE) variables.push(...rest(context, reference, first + variables.length, kind))
      return { variables }
    },

    async setVariable({ variablesReference, name, value, format }, request) {
      const { link, reference } = references.resolveVariables(variablesReference)
      engines.requireControl(link)
      const set = await link.target.setVariable(reference, name, value, request.signal)
      request.afterResponse(() => tellChanged(context, link))
      return valueToClient(context, link, set, format)
    },
  }
}

/** What one assignment changes may be seen in other places, too. */
export function tellChanged({ client, engines, event }: SessionContext, link: EngineLink): void {
  if (!client.wantsInvalidated) return
  event('invalidated', { areas: ['variables'], ...(link.stop && { threadId: engines.threadToClient(link, link.stop.threadId) }) })
}

/** The way to what a client gets that asks for everything of something very large: one more entry, which opens the next page. */
function rest(
  { references }: SessionContext,
  of: VariablesReference,
  start: number,
  filter: 'indexed' | 'named' | undefined,
): Dap.Variable[] {
  if (filter === undefined && of.total !== undefined && start >= of.total) return []
  const value = filter === undefined && of.total !== undefined ? `${of.total - start} more` : 'more'
  const from = { start, ...(filter && { filter }) }
  return [
    {
      name: `[from ${start}]`,
      value,
      variablesReference: references.variables(of.link, of.reference, of.total, from),
      presentationHint: { kind: 'virtual', attributes: ['readOnly'] },
    },
  ]
}

export function variableToClient(context: SessionContext, link: EngineLink, variable: Variable, format?: Dap.ValueFormat): Dap.Variable {
  const { evaluateName, name } = variable
  const described: Dap.Variable = { name, ...valueToClient(context, link, variable, format) }
  if (evaluateName !== undefined) described.evaluateName = evaluateName
  return described
}

type Value = Pick<
  Dap.Variable,
  'value' | 'type' | 'variablesReference' | 'namedVariables' | 'indexedVariables' | 'memoryReference' | 'presentationHint'
>

export function valueToClient(
  { references, client, kind }: SessionContext,
  link: EngineLink,
  variable: Variable,
  format?: Dap.ValueFormat,
): Value {
  const { value, type, reference, named, indexed, memoryReference, hint } = variable
  const described: Value = {
    value: format?.hex ? inHex(value, type) : value,
    variablesReference: references.variables(link, reference, totalOf(variable)),
  }
  const typeName = type !== undefined && kind === 'jupyter' ? notebookType(type, value) : type
  if (typeName !== undefined && client.wantsTypes) described.type = typeName
  if (named !== undefined) described.namedVariables = named
  if (indexed !== undefined) described.indexedVariables = indexed
  if (memoryReference !== undefined && client.wantsMemory) described.memoryReference = `${link.ordinal}:${memoryReference}`
  if (hint !== undefined) described.presentationHint = hint
  return described
}

/** Whole numbers only: nobody reads fractions that way. */
function inHex(value: string, type: string | undefined): string {
  const match = /^(-?)(\d+)(n?)$/.exec(value)
  if (!match || type === 'string') return value
  const [, sign = '', digits = '0', suffix = ''] = match
  return `${sign}0x${BigInt(digits).toString(16)}${suffix}`
}
