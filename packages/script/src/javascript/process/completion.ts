import { builtinModules as nodeModules } from 'node:module'
import type { CatalogueLookup } from '../../catalogue/lookup.ts'
import type { Completion, CompletionItem, MimeBundle } from '../../engine.ts'
import { CONSTANT, DEBUG_HOOK, DYNAMIC_IMPORT, IMPORT_META } from '../source/rewrite.ts'
import type { RemoteObject, ScriptInspector } from './script-inspector.ts'

const ITEMS_MAX = 1000
export const KEYWORDS: readonly string[] =
  'async await break case catch class const continue debugger default delete do else export extends false finally for function if import in instanceof let new null of return static super switch this throw true try typeof undefined var void while with yield'.split(
    ' ',
  )

/** What stands before the cursor: a name, perhaps of a property of some expression. */
export interface Target {
  /** Source of the object; undefined for a global name. */
  object: string | undefined
  prefix: string
  start: number
  end: number
}

/** Runs in the script thread; looks and changes nothing. Names and kinds of the properties of `this`, own ones first. */
const LIST_PROPERTIES = `function (prefix, max) {
  const out = []
  const kinds = []
  for (let o = this, depth = 0; o !== null && depth < 20 && out.length < max; o = Object.getPrototypeOf(o), depth++) {
    const names = Object.getOwnPropertyNames(o)
    for (let i = 0; i < names.length && out.length < max; i++) {
      const name = names[i]
      if (!name.startsWith(prefix) || out.includes(name)) continue
      const d = Object.getOwnPropertyDescriptor(o, name)
      out.push(name)
      kinds.push(d && typeof d.value === 'function' ? (/^class\\b/.test(Function.prototype.toString.call(d.value)) ? 'class' : 'function') : 'property')
    }
  }
  return out.map((name, i) => [name, kinds[i]])
}`

/** Completes names of cells, globals, properties, keywords, catalogue functions and the modules of Node. */
export async function complete(code: string, offset: number, inspector: ScriptInspector, catalogue: CatalogueLookup): Promise<Completion> {
  const module = moduleBefore(code, offset)
  if (module) return module
  const target = targetAt(code, offset, false)
  if (!target) return { items: [], start: offset, end: offset }
  const { start, prefix, object } = target
  const items = object === undefined ? await globals(prefix, inspector, catalogue) : await properties(object, prefix, inspector, catalogue)
  return { items, start, end: offset }
}

async function globals(prefix: string, inspector: ScriptInspector, catalogue: CatalogueLookup): Promise<CompletionItem[]> {
  const items = new Map<string, CompletionItem>()
  const add = (item: CompletionItem): void => {
    if (item.text.startsWith(prefix) && !items.has(item.text) && !INTERNAL.has(item.text)) items.set(item.text, item)
  }
  const [lexical, global] = await Promise.all([
    inspector.lexicalNames(),
    inspector.global().then((value) => value && inspector.ask<[string, string][]>(value, LIST_PROPERTIES, prefix, ITEMS_MAX)),
  ])
  for (const name of lexical) add({ text: name, kind: 'instance' })
  for (const item of catalogue.items('')) add(item)
  for (const [text, kind] of global ?? []) if (isName(text)) add({ text, kind: kind === 'property' ? 'instance' : kind })
  if (!global) for (const text of ['globalThis', 'console', 'process', 'JSON', 'Math', 'Object', 'Promise']) add({ text, kind: 'instance' })
  for (const text of KEYWORDS) add({ text, kind: 'keyword' })
  return [...items.values()]
}

async function properties(
  object: string,
  prefix: string,
  inspector: ScriptInspector,
  catalogue: CatalogueLookup,
): Promise<CompletionItem[]> {
  const known = catalogue.items(object).filter((item) => item.text.startsWith(prefix))
  if (known.length > 0) return [...known]
  const found = await inspector.withValue(object, (value) => list(value, prefix, inspector))
  return (found ?? []).filter(([text]) => isName(text)).map(([text, kind]) => ({ text, kind }))
}

async function list(value: RemoteObject, prefix: string, inspector: ScriptInspector): Promise<[string, string][] | undefined> {
  if (value.objectId !== undefined) return await inspector.ask(value, LIST_PROPERTIES, prefix, ITEMS_MAX)
  const type = { string: 'String', number: 'Number', boolean: 'Boolean', bigint: 'BigInt' }[value.type]
  if (type === undefined) return undefined
  return await inspector.withValue(`${type}.prototype`, (found) => inspector.ask(found, LIST_PROPERTIES, prefix, ITEMS_MAX))
}

const INTERNAL = new Set([CONSTANT, DEBUG_HOOK, DYNAMIC_IMPORT, IMPORT_META])

/** Documentation of catalogue entries, otherwise what the value is. */
export async function inspectAt(
  code: string,
  offset: number,
  detail: 0 | 1,
  inspector: ScriptInspector,
  catalogue: CatalogueLookup,
): Promise<MimeBundle | undefined> {
  const target = targetAt(code, offset, true)
  if (!target || target.prefix === '') return undefined
  const expression = target.object === undefined ? target.prefix : `${target.object}.${target.prefix}`
  const documented = catalogue.inspect(expression)
  if (documented) return documented
  return await inspector.withValue(expression, async (value) => {
    if (value.type === 'undefined') return undefined
    const lines = [describe(expression, value)]
    if (value.type === 'function') {
      const source = (await inspector.ask<string>(value, 'function () { return Function.prototype.toString.call(this) }')) ?? ''
      if (detail === 1 || source.split('\n').length <= 12) lines.push('', source)
    } else if (value.type === 'object' && value.subtype !== 'null') {
      const names = (await inspector.ask<[string, string][]>(value, LIST_PROPERTIES, '', detail === 1 ? 200 : 30)) ?? []
      if (names.length > 0) lines.push('', names.map(([name]) => name).join(', '))
    }
    return { 'text/plain': lines.join('\n') }
  })
}

function describe(expression: string, value: RemoteObject): string {
  if (value.type === 'function') return `${expression}: ${value.description?.startsWith('class') ? 'class' : 'function'}`
  if (value.type === 'object')
    return `${expression}: ${value.subtype === 'null' ? 'null' : (value.description ?? value.className ?? 'object')}`
  const shown =
    value.type === 'string' ? JSON.stringify(value.value) : (value.unserializableValue ?? String(value.value ?? value.description))
  return `${expression}: ${value.type} = ${shown}`
}

export interface Variable {
  name: string
  type: string
  preview: string
}

/** What cells have declared. */
export async function variables(inspector: ScriptInspector, declared: Iterable<string>): Promise<Variable[]> {
  const names = [...new Set([...(await inspector.lexicalNames()), ...declared])].filter((name) => !INTERNAL.has(name))
  const found = await Promise.all(
    names.map((name) =>
      inspector.withValue(name, async (value): Promise<Variable> => {
        const type = value.subtype ?? (value.type === 'object' ? (value.className ?? 'object') : value.type)
        const preview =
          value.type === 'string' ? JSON.stringify(value.value) : (value.unserializableValue ?? value.description ?? String(value.value))
        return { name, type, preview: preview.length > 100 ? `${preview.slice(0, 99)}…` : preview }
      }),
    ),
  )
  return found.filter((one) => one !== undefined)
}

/** `import('fs')`, `from 'node:f|`, `require("…`. */
function moduleBefore(code: string, offset: number): Completion | undefined {
  const match = /(?:\b(?:from|import)\s*|\b(?:import|require)\s*\(\s*)(['"])([\w:/@.-]*)$/.exec(code.slice(0, offset))
  if (!match) return undefined
  const prefix = match[2] as string
  const names = nodeModules
    .filter((name) => !name.startsWith('_'))
    .flatMap((name) => (name.startsWith('node:') ? [name] : [name, `node:${name}`]))
  const items = names.filter((name) => name.startsWith(prefix)).map((text): CompletionItem => ({ text, kind: 'module' }))
  return { items, start: offset - prefix.length, end: offset }
}

/** With `whole`, the name goes on behind the cursor, and a call's open parenthesis belongs to its function. */
export function targetAt(code: string, offset: number, whole: boolean): Target | undefined {
  let at = Math.max(0, Math.min(offset, code.length))
  let end = at
  if (whole) {
    while (end < code.length && isNamePart(code[end] as string)) end++
    if (end === at && !isNamePart(code[at - 1] ?? '')) {
      const call = openCall(code, at)
      if (call === undefined) return undefined
      at = end = call
    }
  }
  let start = whole ? end : at
  while (start > 0 && isNamePart(code[start - 1] as string)) start--
  const prefix = code.slice(start, end)
  if (/^\d/.test(prefix)) return undefined
  const dot = /\??\.\s*$/.exec(code.slice(0, start))
  if (!dot) return { object: undefined, prefix, start, end }
  const object = expressionBefore(code, dot.index)
  return object === undefined ? undefined : { object, prefix, start, end }
}

/** Where the name of the function ends whose call is open at `at`. */
function openCall(code: string, at: number): number | undefined {
  let depth = 0
  for (let index = at - 1; index >= 0; index--) {
    const character = code[index] as string
    if (')]}'.includes(character)) depth++
    else if ('([{'.includes(character)) {
      if (depth === 0) return character === '(' && isNamePart(code[index - 1] ?? '') ? index : undefined
      depth--
    }
  }
  return undefined
}

/** The chain of names, properties, indexes, calls and literals that ends at `end`. */
function expressionBefore(code: string, end: number): string | undefined {
  let at = end
  for (;;) {
    while (at > 0 && /\s/.test(code[at - 1] as string)) at--
    const last = code[at - 1]
    if (last === undefined) return undefined
    if (last === ')' || last === ']' || last === '}') {
      const open = openingOf(code, at - 1)
      if (open === undefined) return undefined
      at = open
      // An index or a call goes on with what it is applied to; a literal or a parenthesis does not.
      if (isNamePart(code[at - 1] ?? '') || ')]'.includes(code[at - 1] ?? ' ')) continue
    } else if (last === '"' || last === "'" || last === '`') {
      const open = code.lastIndexOf(last, at - 2)
      if (open < 0) return undefined
      at = open
    } else if (isNamePart(last)) {
      while (at > 0 && isNamePart(code[at - 1] as string)) at--
      if (/^\d/.test(code.slice(at, end))) return undefined
    } else return undefined
    const dot = /\??\.\s*$/.exec(code.slice(0, at))
    if (!dot) break
    at = dot.index
  }
  return code.slice(at, end)
}

function openingOf(code: string, close: number): number | undefined {
  let depth = 0
  for (let index = close; index >= 0; index--) {
    const character = code[index] as string
    if (')]}'.includes(character)) depth++
    else if ('([{'.includes(character) && --depth === 0) return index
  }
  return undefined
}

function isNamePart(character: string): boolean {
  return character !== '' && /[\w$\u00aa-\uffff]/.test(character)
}

function isName(text: string): boolean {
  return /^[\p{L}_$][\p{L}\p{N}_$]*$/u.test(text)
}
