import type { CatalogueLookup } from '../catalogue/lookup.ts'
import type { Completion, CompletionItem, MimeBundle } from '../engine.ts'
import { localNames, wordAt } from './code-position.ts'
import { KEYWORDS } from './keywords.ts'
import { standardLibrary } from './standard-library.ts'

interface FoundField {
  text: string
  kind: string
  signature?: string
}

interface FoundValue {
  type: string
  preview: string
  builtin?: boolean
  signature?: string
  source?: string
  line?: number
  last?: number
  fields?: readonly { name: string; value: string }[]
  length?: number
}

/** How the namespace is looked at: helpers of prelude.lua that run no code of the script. */
export interface NamespaceView {
  fields(path: readonly string[], prefix: string, methods: boolean, text: boolean): readonly FoundField[]
  inspect(path: readonly string[], text: boolean): FoundValue | undefined
}

/** Completion and inspection: what the namespace holds, with what the catalogue and the standard library document. */
export class Introspection {
  readonly #lookup: CatalogueLookup
  readonly #view: NamespaceView

  constructor(lookup: CatalogueLookup, view: NamespaceView) {
    this.#lookup = lookup
    this.#view = view
  }

  complete(code: string, offset: number): Completion {
    const { path, prefix, start, method, text } = wordAt(code, offset)
    const items = new Map<string, CompletionItem>()
    const owner = text ? 'string' : path.join('.')
    for (const field of asArray(this.#view.fields(path, prefix, method, text))) {
      const signature = field.signature ?? this.#documentedSignature(owner, field.text)
      items.set(field.text, { text: field.text, kind: field.kind, ...(signature !== undefined && { signature }) })
    }
    if (path.length === 0 && !text) {
      for (const name of localNames(code)) {
        if (name.startsWith(prefix) && name !== prefix && !items.has(name)) items.set(name, { text: name, kind: 'instance' })
      }
      for (const keyword of KEYWORDS) {
        if (keyword.startsWith(prefix) && !items.has(keyword)) items.set(keyword, { text: keyword, kind: 'keyword' })
      }
    }
    return { items: [...items.values()], start, end: offset }
  }

  inspect(code: string, offset: number, detail: 0 | 1): MimeBundle | undefined {
    const { path, name, text } = wordAt(code, callee(code, offset))
    if (name === '') return undefined
    const dotted = text ? `string.${name}` : [...path, name].join('.')
    const found = this.#view.inspect([...path, name], text)
    const documented = this.#lookup.inspect(dotted) ?? standardDocument(dotted)
    if (documented && found?.builtin !== false) return documented
    return found ? describe(dotted, found, detail) : undefined
  }

  #documentedSignature(owner: string, name: string): string | undefined {
    const dotted = owner === '' ? name : `${owner}.${name}`
    return this.#lookup.items(owner).find((item) => item.text === name)?.signature ?? standardLibrary[dotted]?.signature
  }
}

/** Inside the parentheses of a call with nothing before the offset, the function is meant. */
function callee(code: string, offset: number): number {
  const open = /\(\s*$/.exec(code.slice(Math.max(0, offset - 200), offset))
  return open ? offset - open[0].length : offset
}

function standardDocument(name: string): MimeBundle | undefined {
  const entry = standardLibrary[name]
  if (!entry) return undefined
  return {
    'text/plain': `${entry.signature}\n\n${entry.doc}`,
    'text/markdown': `\`\`\`lua\n${entry.signature}\n\`\`\`\n\n${entry.doc}`,
  }
}

function describe(name: string, value: FoundValue, detail: 0 | 1): MimeBundle {
  const title = value.signature ? `function ${value.signature}` : `${name}: ${value.type}`
  const lines: string[] = []
  if (value.source !== undefined) lines.push(`Defined at ${value.source}:${value.line}`)
  else if (value.type !== 'table' && !value.builtin) lines.push(value.preview)
  const fields = asArray(value.fields ?? [])
  if (value.length) lines.push(`${value.length} items`)
  if (fields.length > 0)
    lines.push(...fields.slice(0, detail === 1 ? fields.length : 10).map((field) => `  ${field.name} = ${field.value}`))
  const body = lines.join('\n')
  return {
    'text/plain': body === '' ? title : `${title}\n\n${body}`,
    'text/markdown': `\`\`\`lua\n${title}\n\`\`\`${body === '' ? '' : `\n\n\`\`\`\n${body}\n\`\`\``}`,
  }
}

/** An empty Lua table arrives as an object. */
function asArray<T>(value: readonly T[]): readonly T[] {
  return Array.isArray(value) ? value : []
}
