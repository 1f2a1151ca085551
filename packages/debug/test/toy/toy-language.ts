/** A language for these tests: one statement a line, blocks by indentation, `#` comments. */
export type Expression =
  | { kind: 'value'; value: unknown }
  | { kind: 'name'; name: string }
  | { kind: 'list'; items: Expression[] }
  | { kind: 'record'; fields: [string, Expression][] }
  | { kind: 'field'; of: Expression; name: string }
  | { kind: 'index'; of: Expression; at: Expression }
  | { kind: 'call'; callee: string; args: Expression[] }
  | { kind: 'binary'; operator: string; left: Expression; right: Expression }

export interface Statement {
  line: number
  kind: 'assign' | 'print' | 'return' | 'raise' | 'do' | 'def' | 'for' | 'while' | 'if' | 'try' | 'catch'
  target?: Expression
  /** Of `def` and `for`. */
  name?: string
  params?: string[]
  values: Expression[]
  body: Statement[]
}

export class ToySyntaxError extends Error {}

export function parseProgram(code: string): Statement[] {
  const root: Statement[] = []
  const blocks: { indent: number; body: Statement[] }[] = [{ indent: -1, body: root }]
  code.split('\n').forEach((text, index) => {
    const bare = withoutComment(text)
    if (bare.trim() === '') return
    const indent = bare.search(/\S/)
    while ((blocks.at(-1)?.indent ?? -1) >= indent) blocks.pop()
    const statement = parseStatement(bare.trim(), index + 1)
    blocks.at(-1)?.body.push(statement)
    blocks.push({ indent, body: statement.body })
  })
  return root
}

function withoutComment(line: string): string {
  const at = line.search(/#(?=([^']*'[^']*')*[^']*$)/)
  return at < 0 ? line : line.slice(0, at)
}

function parseStatement(text: string, line: number): Statement {
  const make = (kind: Statement['kind'], more: Partial<Statement> = {}): Statement => ({ line, kind, values: [], body: [], ...more })
  const [word = '', ...rest] = text.split(' ')
  const after = rest.join(' ')
  switch (word) {
    case 'print':
      return make('print', { values: parseList(after) })
    case 'return':
    case 'raise':
    case 'while':
    case 'if':
      return make(word, { values: [parseExpression(after)] })
    case 'try':
    case 'catch':
      return make(word)
    case 'def': {
      const [, name = '', params = ''] = /^(\w+)\((.*)\)$/.exec(after) ?? fail(`'${text}' is no function`)
      return make('def', { name, params: params.split(',').flatMap((param) => param.trim() || []) })
    }
    case 'for': {
      const [, name = '', from = '', to = ''] = /^(\w+) = (.+) to (.+)$/.exec(after) ?? fail(`'${text}' is no loop`)
      return make('for', { name, values: [parseExpression(from), parseExpression(to)] })
    }
  }
  const assignment = splitAssignment(text)
  if (assignment) return make('assign', { target: parseExpression(assignment[0]), values: [parseExpression(assignment[1])] })
  return make('do', { values: [parseExpression(text)] })
}

/** The two sides, if this is an assignment. */
export function splitAssignment(text: string): [string, string] | undefined {
  const match = /^([\w.[\]']+)\s*=(?!=)\s*(.*)$/.exec(text.trim())
  return match ? [match[1] ?? '', match[2] ?? ''] : undefined
}

export function parseExpression(text: string): Expression {
  const [only, more] = parseList(text)
  if (!only || more) fail(`an expression is missing in '${text}'`)
  return only as Expression
}

function fail(message: string): never {
  throw new ToySyntaxError(message)
}

const levels: readonly string[][] = [
  ['==', '!=', '<=', '>=', '<', '>'],
  ['+', '-'],
  ['*', '%'],
]

function parseList(text: string): Expression[] {
  const tokens = text.match(/'[^']*'|"[^"]*"|\d+(\.\d+)?|\w+|==|!=|<=|>=|\S/g) ?? []
  let at = 0
  const take = (token: string): void => {
    if (tokens[at] !== token) fail(`'${token}' is missing in '${text}'`)
    at++
  }
  const list = (end: string): Expression[] => {
    const items: Expression[] = []
    while (tokens[at] !== end) {
      items.push(binary(0))
      if (tokens[at] !== end) take(',')
    }
    at++
    return items
  }
  const primary = (): Expression => {
    const token = tokens[at++] ?? fail(`'${text}' is not complete`)
    if (token === '(') {
      const inner = binary(0)
      take(')')
      return inner
    }
    if (token === '[') return { kind: 'list', items: list(']') }
    if (token === '{') {
      const fields: [string, Expression][] = []
      while (tokens[at] !== '}') {
        const name = tokens[at++] ?? fail('a field is missing')
        take(':')
        fields.push([name, binary(0)])
        if (tokens[at] === ',') at++
      }
      at++
      return { kind: 'record', fields }
    }
    if (/^['"]/.test(token)) return { kind: 'value', value: token.slice(1, -1) }
    if (/^\d/.test(token)) return { kind: 'value', value: Number(token) }
    if (token === 'true' || token === 'false') return { kind: 'value', value: token === 'true' }
    if (token === 'nil') return { kind: 'value', value: null }
    if (!/^\w/.test(token)) fail(`'${token}' is not expected in '${text}'`)
    if (tokens[at] === '(') {
      at++
      return { kind: 'call', callee: token, args: list(')') }
    }
    return { kind: 'name', name: token }
  }
  const postfix = (): Expression => {
    let left = primary()
    for (;;) {
      if (tokens[at] === '.') {
        at++
        left = { kind: 'field', of: left, name: tokens[at++] ?? fail('a field is missing') }
      } else if (tokens[at] === '[') {
        at++
        left = { kind: 'index', of: left, at: binary(0) }
        take(']')
      } else return left
    }
  }
  const binary = (level: number): Expression => {
    const operators = levels[level]
    if (!operators) return postfix()
    let left = binary(level + 1)
    while (operators.includes(tokens[at] ?? '')) {
      const operator = tokens[at++] ?? ''
      left = { kind: 'binary', operator, left, right: binary(level + 1) }
    }
    return left
  }
  const items: Expression[] = []
  while (at < tokens.length) {
    items.push(binary(0))
    if (at < tokens.length) take(',')
  }
  return items
}
