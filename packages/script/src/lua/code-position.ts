/** What stands before an offset of Lua code, as far as completion and inspection need it. */
export interface CodeWord {
  /** Names before the word: `a.b.` gives `['a', 'b']`. */
  path: string[]
  /** The part of the word before the offset. */
  prefix: string
  /** The whole word, also what stands behind the offset. */
  name: string
  /** Where the word begins. */
  start: number
  /** After `:` only what can be called makes sense. */
  method: boolean
  /** The word follows a string literal: `("x"):rep`. */
  text: boolean
}

/** Characters looked at before the word: keeps the patterns linear on large cells. */
const CHAIN_LIMIT = 300

const WORD = /[A-Za-z_][A-Za-z0-9_]*$/
const REST = /^[A-Za-z0-9_]*/
const CHAIN = /(?:^|[^A-Za-z0-9_.:\])"'])((?:[A-Za-z_][A-Za-z0-9_]*\s*[.:]\s*)+)$/
const AFTER_TEXT = /(?:["']|\]=*\])\s*\)?\s*([.:])\s*$/

/** The word at `offset` (UTF-16) with the names it is a field of. */
export function wordAt(code: string, offset: number): CodeWord {
  const before = code.slice(0, offset)
  const prefix = WORD.exec(before.slice(-CHAIN_LIMIT))?.[0] ?? ''
  const start = offset - prefix.length
  const name = prefix + (REST.exec(code.slice(offset))?.[0] ?? '')
  const head = before.slice(0, start)
  const near = head.slice(-CHAIN_LIMIT)
  const chain = CHAIN.exec(near)?.[1]
  if (chain) {
    return { path: chain.split(/\s*[.:]\s*/).slice(0, -1), prefix, name, start, method: chain.trimEnd().endsWith(':'), text: false }
  }
  const literal = AFTER_TEXT.exec(near)
  if (literal) return { path: [], prefix, name, start, method: literal[1] === ':', text: true }
  const stray = /[.:]\s*$/.test(near) && !/\.\.\s*$/.test(near)
  return { path: stray ? ['\0'] : [], prefix, name, start, method: false, text: false }
}

const NAMES = /\b(?:local\s+(?:function\s+)?|for\s+)([A-Za-z_][A-Za-z0-9_]*(?:\s*(?:<[a-z]+>)?\s*,\s*[A-Za-z_][A-Za-z0-9_]*)*)/g
const PARAMETERS = /\bfunction\b[^(\n]*\(([^)]*)\)/g

/** Names that the code itself introduces (locals, loop variables, parameters): all that can be known of them without running it. */
export function localNames(code: string): string[] {
  const names = new Set<string>()
  for (const pattern of [NAMES, PARAMETERS]) {
    for (const found of code.matchAll(pattern)) {
      for (const part of (found[1] ?? '').split(',')) {
        const name = /[A-Za-z_][A-Za-z0-9_]*/.exec(part)?.[0]
        if (name) names.add(name)
      }
    }
  }
  return [...names]
}
