export interface Token {
  kind: 'name' | 'keyword' | 'string' | 'number' | 'comment' | 'symbol'
  text: string
  /** UTF-16 offsets. */
  start: number
  end: number
  /** False for a string or comment that runs into the end of the code. */
  closed: boolean
}

export const KEYWORDS: readonly string[] = [
  ...['and', 'break', 'do', 'else', 'elseif', 'end', 'false', 'for', 'function', 'goto', 'if', 'in'],
  ...['local', 'nil', 'not', 'or', 'repeat', 'return', 'then', 'true', 'until', 'while'],
]

const keywords = new Set(KEYWORDS)
const NAME = /[A-Za-z_][A-Za-z0-9_]*/y
const NUMBER = /0[xX][0-9a-fA-F.]*(?:[pP][+-]?[0-9]*)?|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]*)?/y
const SYMBOL = /\.\.\.|\.\.|==|~=|<=|>=|<<|>>|\/\/|::|[^\s]/y
const SPACE = /\s+/y
const LONG_OPEN = /\[(=*)\[/y

/** Tokens of Lua code, comments included. Never fails: whatever is not Lua becomes symbols. */
export function tokenize(code: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  const match = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at
    return pattern.exec(code)
  }
  const add = (kind: Token['kind'], end: number, closed = true): void => {
    tokens.push({ kind, text: code.slice(at, end), start: at, end, closed })
    at = end
  }
  while (at < code.length) {
    const space = match(SPACE)
    if (space) {
      at += space[0].length
      continue
    }
    if (code.startsWith('--', at)) {
      const long = longEnd(code, at + 2)
      if (long) add('comment', long.end, long.closed)
      else {
        const newline = code.indexOf('\n', at)
        add('comment', newline < 0 ? code.length : newline, newline >= 0)
      }
      continue
    }
    const long = longEnd(code, at)
    if (long) {
      add('string', long.end, long.closed)
      continue
    }
    const first = code[at] ?? ''
    if (first === '"' || first === "'") {
      const end = quotedEnd(code, at, first)
      add('string', end.end, end.closed)
      continue
    }
    const name = match(NAME)
    if (name) {
      add(keywords.has(name[0]) ? 'keyword' : 'name', at + name[0].length)
      continue
    }
    const number = match(NUMBER)
    if (number) {
      add('number', at + number[0].length)
      continue
    }
    add('symbol', at + (match(SYMBOL)?.[0].length ?? 1))
  }
  return tokens
}

function longEnd(code: string, at: number): { end: number; closed: boolean } | undefined {
  LONG_OPEN.lastIndex = at
  const open = LONG_OPEN.exec(code)
  if (!open) return undefined
  const close = code.indexOf(`]${open[1]}]`, at + open[0].length)
  return close < 0 ? { end: code.length, closed: false } : { end: close + open[0].length, closed: true }
}

function quotedEnd(code: string, at: number, quote: string): { end: number; closed: boolean } {
  for (let i = at + 1; i < code.length; i++) {
    const c = code[i]
    if (c === '\\') i++
    else if (c === quote) return { end: i + 1, closed: true }
    else if (c === '\n') return { end: i, closed: false }
  }
  return { end: code.length, closed: false }
}

const OPENERS = new Set(['do', 'then', 'function', 'repeat', '(', '{', '['])
const CLOSERS = new Set(['end', 'until', ')', '}', ']'])

/** How many blocks and brackets are open at the end of the code. */
export function openBlocks(tokens: readonly Token[]): number {
  let depth = 0
  for (const { kind, text } of tokens) {
    if (kind !== 'keyword' && kind !== 'symbol') continue
    if (OPENERS.has(text)) depth++
    else if (CLOSERS.has(text)) depth = Math.max(0, depth - 1)
    // `elseif … then` opens again what `elseif` closed; `else` keeps the block open.
    else if (text === 'elseif') depth = Math.max(0, depth - 1)
  }
  return depth
}

/** Names that the code declares: local variables, loop variables and parameters. Scopes are not looked at. */
export function declaredNames(tokens: readonly Token[]): Set<string> {
  const names = new Set<string>()
  const code = tokens.filter((token) => token.kind !== 'comment')
  for (let i = 0; i < code.length; i++) {
    const { text } = code[i] as Token
    if (text === 'local' || text === 'for') i = collectNames(code, text === 'local' && code[i + 1]?.text === 'function' ? i + 1 : i, names)
    else if (text === 'function') i = collectParameters(code, i, names)
    if (code[i]?.text === 'function') i = collectParameters(code, i, names)
  }
  return names
}

function collectNames(code: readonly Token[], at: number, names: Set<string>): number {
  let i = at + 1
  for (; i < code.length; i++) {
    const token = code[i] as Token
    if (token.kind === 'name') names.add(token.text)
    else if (token.text === '<')
      i += 2 // an attribute
    else if (token.text !== ',') break
  }
  return code[at]?.text === 'function' ? collectParameters(code, at, names) : i - 1
}

function collectParameters(code: readonly Token[], at: number, names: Set<string>): number {
  let i = at + 1
  while (i < code.length && code[i]?.text !== '(') {
    if (code[i]?.kind !== 'name' && code[i]?.text !== '.' && code[i]?.text !== ':') return i - 1
    i++
  }
  for (i++; i < code.length; i++) {
    const token = code[i] as Token
    if (token.kind === 'name') names.add(token.text)
    else if (token.text !== ',' && token.text !== '...') break
  }
  return i
}
