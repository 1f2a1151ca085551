import { readFileSync } from 'node:fs'
import type { ThreadPointer } from './event.ts'
import { declaredNames, KEYWORDS, type Token, tokenize } from './lexer.ts'
import { standardLibrary } from './standard-library.ts'
import type { LuaFunction } from './values.ts'
import type { LuaVM } from './vm.ts'

/** A place in a thread's stack; level 0 is the function that runs. */
export interface Frame {
  thread: ThreadPointer
  level: number
}

export interface CompletionItem {
  text: string
  /** `function`, `module`, `table`, `keyword`, `local`, or the type of the value. */
  kind: string
  /** `(s, pattern [, init])` */
  signature?: string
}

export interface Completion {
  items: CompletionItem[]
  /** UTF-16 offsets that an item replaces. */
  start: number
  end: number
}

export interface Description {
  /** The name as written: `string.format`. */
  name: string
  type: string
  value: string
  signature?: string
  doc?: string
  /** Where a Lua function was defined. */
  source?: string
  firstLine?: number
  lastLine?: number
  /** Entries of a table. */
  fields?: number
}

export interface Documentation {
  signature?: string
  doc: string
}

interface Member {
  name: string
  kind: string
  builtin?: string
  parameters?: string
}

interface Described {
  type: string
  value: string
  builtin?: string
  parameters?: string
  source?: string
  first_line?: number
  last_line?: number
  fields?: number
}

/** The expression before a position: `a.b:c` is the path [a, b], `:` and the prefix `c`. */
interface Chain {
  path: string[]
  separator: '' | '.' | ':'
  prefix: string
  start: number
  /** The path begins with a string literal. */
  isString: boolean
}

/** Looks at a VM: while it is idle, or inside an event while its code stands still. */
export class LuaInspector {
  readonly #vm: LuaVM
  readonly #thread: ThreadPointer
  readonly #functions: Record<string, LuaFunction>
  readonly #documentation: Map<string, Documentation>

  /** Make it before user code runs: it keeps the standard functions it finds. `documentation` is by dotted name, beside the standard library's. */
  constructor(vm: LuaVM, documentation: Readonly<Record<string, Documentation>> = {}) {
    this.#vm = vm
    this.#thread = vm.newThread()
    this.#documentation = new Map([...Object.entries(standardLibrary), ...Object.entries(documentation)])
    const source = readFileSync(new URL('../lua/inspector.lua', import.meta.url))
    const outer = vm.control.origin
    vm.control.origin = -1
    const chunk = vm.load(source, '=(inspector)')
    vm.control.origin = outer
    this.#functions = vm.call(chunk)[0] as Record<string, LuaFunction>
    chunk.release()
  }

  /** What is defined now is not the user's: see `userVariables`. */
  markKnown(): void {
    this.#ask('mark_known')
  }

  userVariables(): { name: string; type: string; value: string }[] {
    return list(this.#ask('user_variables'))
  }

  // ---- completion and inspection ----

  /** Names that fit before `offset` (UTF-16). Runs no code of the program. */
  complete(code: string, offset: number, frame?: Frame): Completion {
    const tokens = tokenize(code.slice(0, offset))
    const chain = chainBefore(tokens, offset)
    if (!chain) return { items: [], start: offset, end: offset }
    const { path, separator, prefix, start, isString } = chain
    const members = list<Member>(this.#ask('members', path, prefix, separator === ':', isString, ...this.#frame(frame)))
    const items = members.map((member) => this.#item(member, [...path, member.name].join('.')))
    if (separator === '') this.#addNames(items, code, prefix)
    return { items, start, end: offset }
  }

  /** What the name at `offset` stands for; undefined: nothing known. Runs no code of the program. */
  inspect(code: string, offset: number, frame?: Frame): Description | undefined {
    const tokens = tokenize(code)
    const at = tokens.findLast((token) => token.start <= offset)
    const name = at?.kind === 'name' && at.end >= offset ? at : calleeBefore(tokens, offset)
    if (!name) return undefined
    const chain = chainBefore(
      tokens.filter((token) => token.end <= name.end),
      name.end,
    )
    if (!chain) return undefined
    const path = [...chain.path, chain.prefix]
    const found = this.#ask('describe', path, chain.isString, ...this.#frame(frame)) as Described | undefined
    return found && this.#describe(path.join('.'), found)
  }

  #addNames(items: CompletionItem[], code: string, prefix: string): void {
    const known = new Set(items.map((item) => item.text))
    for (const name of declaredNames(tokenize(code)))
      if (name.startsWith(prefix) && name !== prefix && !known.has(name)) items.unshift({ text: name, kind: 'local' })
    for (const keyword of KEYWORDS) if (prefix !== '' && keyword.startsWith(prefix)) items.push({ text: keyword, kind: 'keyword' })
  }

  #item(member: Member, name: string): CompletionItem {
    const signature = this.#documented(name, member.builtin)?.signature ?? member.parameters
    return { text: member.name, kind: member.kind, ...(signature === undefined ? {} : { signature }) }
  }

  #describe(name: string, found: Described): Description {
    const documented = this.#documented(name, found.builtin)
    const signature = documented?.signature ?? found.parameters
    return {
      name,
      type: found.type,
      value: found.value,
      ...(signature === undefined ? {} : { signature }),
      ...(documented === undefined ? {} : { doc: documented.doc }),
      ...(found.source === undefined ? {} : { source: found.source }),
      ...(found.first_line === undefined ? {} : { firstLine: found.first_line }),
      ...(found.last_line === undefined ? {} : { lastLine: found.last_line }),
      ...(found.fields === undefined ? {} : { fields: found.fields }),
    }
  }

  /** A built-in function keeps its documentation under another name; a replaced one loses it. */
  #documented(name: string, builtin: string | undefined): Documentation | undefined {
    if (builtin !== undefined) return this.#documentation.get(builtin)
    return name in standardLibrary && standardLibrary[name]?.signature !== undefined ? undefined : this.#documentation.get(name)
  }

  #frame(frame: Frame | undefined): unknown[] {
    return frame ? [this.#vm.threadValue(frame.thread), frame.level] : [undefined, undefined]
  }

  /** Runs a chunk that shares what this one knows (probe.lua); gives its result. */
  extend(chunk: LuaFunction, ...args: unknown[]): unknown {
    return this.#ask('extend', chunk, ...args)
  }

  #ask(name: string, ...args: unknown[]): unknown {
    const callee = this.#functions[name]
    if (!callee) throw new Error(`inspector.lua has no function ${name}`)
    return this.#vm.call(callee, args, { thread: this.#thread, quiet: true })[0]
  }
}

/** An empty Lua table comes as an object. */
function list<T>(value: unknown): T[] {
  return Array.isArray(value) ? (value as T[]) : []
}

/** Reads `name.name:prefix` backwards from the last token. undefined: nothing to complete there. */
function chainBefore(tokens: readonly Token[], offset: number): Chain | undefined {
  let i = tokens.length - 1
  const last = tokens[i]
  if ((last?.kind === 'comment' || last?.kind === 'string') && (!last.closed || last.end > offset)) return undefined
  if (last?.kind === 'number' && last.end === offset) return undefined
  let prefix = ''
  let start = offset
  if (last && last.end === offset && (last.kind === 'name' || last.kind === 'keyword')) {
    prefix = last.text
    start = last.start
    i--
  }
  const chain: Chain = { path: [], separator: '', prefix, start, isString: false }
  const separator = tokens[i]?.text
  if (separator !== '.' && separator !== ':') return chain
  chain.separator = separator
  for (;;) {
    const before = tokens[i - 1]
    if (before?.kind === 'name') {
      chain.path.unshift(before.text)
      const dot = tokens[i - 2]?.text
      if (dot !== '.') return dot === ':' ? undefined : chain
      i -= 2
      continue
    }
    chain.isString = chain.path.length === 0 && isStringBefore(tokens, i)
    return chain.isString ? chain : undefined
  }
}

/** `"text"` or `("text")` stands before token i. */
function isStringBefore(tokens: readonly Token[], i: number): boolean {
  if (tokens[i - 1]?.kind === 'string') return true
  return tokens[i - 1]?.text === ')' && tokens[i - 2]?.kind === 'string' && tokens[i - 3]?.text === '('
}

/** The function whose arguments hold the offset. */
function calleeBefore(tokens: readonly Token[], offset: number): Token | undefined {
  let depth = 0
  for (let i = tokens.length - 1; i > 0; i--) {
    const token = tokens[i] as Token
    if (token.end > offset) continue
    if (token.text === ')') depth++
    else if (token.text === '(' && depth-- === 0) return tokens[i - 1]?.kind === 'name' ? tokens[i - 1] : undefined
  }
  return undefined
}
