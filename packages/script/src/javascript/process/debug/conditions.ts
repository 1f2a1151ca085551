import { type BreakpointSpec, parseHitCondition } from '@llmspell/debug'
import { DEBUG_HOOK } from '../../source/rewrite.ts'
import { checkExpression } from './expressions.ts'

const AGENT = `${DEBUG_HOOK}.agent`

export type ConditionSpec = Pick<BreakpointSpec, 'condition' | 'hitCondition' | 'logMessage'>

/** The condition that V8 evaluates for breakpoints at one place, in the script thread; undefined: it always stops. */
export function conditionOf(specs: readonly { slot: number; spec: ConditionSpec }[]): string | undefined {
  if (specs.every(({ spec }) => isPlain(spec))) return undefined
  // Not `||`: each one counts its hits.
  return specs.map(({ slot, spec }) => one(slot, spec)).join('|')
}

function isPlain({ condition, hitCondition, logMessage }: ConditionSpec): boolean {
  return !hasText(condition) && !hasText(hitCondition) && !hasText(logMessage)
}

function hasText(text: string | undefined): text is string {
  return text !== undefined && text.trim() !== ''
}

/** What is wrong with its texts. */
export function problemIn(spec: ConditionSpec): string | undefined {
  const hit = hitOf(spec.hitCondition)
  if ('problem' in hit) return hit.problem
  const test = testOf(spec.condition)
  return 'problem' in test ? `condition: ${test.problem}` : undefined
}

function one(slot: number, spec: ConditionSpec): string {
  const problem = problemIn(spec)
  if (problem !== undefined) return `${AGENT}.fail(${slot},${JSON.stringify(problem)})`
  const hit = hitOf(spec.hitCondition) as { operator: string; count: number }
  const test = testOf(spec.condition) as { code: string }
  const common = `${slot},${test.code},${JSON.stringify(hit.operator)},${hit.count}`
  if (!hasText(spec.logMessage)) return `${AGENT}.check(${common})`
  return `${AGENT}.log(${common},[${partsOf(spec.logMessage).map(partCode).join(',')}])`
}

function testOf(condition: string | undefined): { code: string } | { problem: string } {
  if (!hasText(condition)) return { code: 'void 0' }
  const checked = checkExpression(condition)
  return 'problem' in checked ? checked : { code: `()=>(${expressionText(checked.code)})` }
}

/** Without the semicolon that a statement may end with. */
function expressionText(code: string): string {
  return `${code.replace(/;\s*$/, '')}\n`
}

function hitOf(text: string | undefined): { operator: string; count: number } | { problem: string } {
  if (!hasText(text)) return { operator: '', count: 0 }
  return parseHitCondition(text) ?? { problem: `hit condition: '${text}' is none of 5, == 5, >= 5, > 5, <= 5, < 5, % 5, or is never true` }
}

type Part = string | { expression: string }

/** Texts and the expressions between braces, which may hold braces themselves. A backslash before a brace takes its meaning away. */
export function partsOf(message: string): Part[] {
  const parts: Part[] = []
  let text = ''
  for (let at = 0; at < message.length; at++) {
    const character = message[at] as string
    if (character === '\\' && /[{}\\]/.test(message[at + 1] ?? '')) text += message[++at]
    else if (character === '{') {
      const end = endOfExpression(message, at + 1)
      if (end < 0) text += character
      else {
        if (text !== '') parts.push(text)
        text = ''
        parts.push({ expression: message.slice(at + 1, end) })
        at = end
      }
    } else text += character
  }
  if (text !== '') parts.push(text)
  return parts
}

/** The first closing brace before which stands an expression. */
function endOfExpression(message: string, from: number): number {
  let first = -1
  for (let end = message.indexOf('}', from); end >= 0; end = message.indexOf('}', end + 1)) {
    if (first < 0) first = end
    if (!('problem' in checkExpression(message.slice(from, end)))) return end
  }
  return first
}

function partCode(part: Part): string {
  if (typeof part === 'string') return JSON.stringify(part)
  const checked = checkExpression(part.expression)
  if ('problem' in checked) return `()=>{throw new SyntaxError(${JSON.stringify(checked.problem.replace(/^SyntaxError: /, ''))})}`
  return `()=>(${expressionText(checked.code)})`
}
