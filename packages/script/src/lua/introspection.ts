import { completeness, type Description, LuaInspector, type CompletionItem as LuaItem, type LuaVM } from '@llmspell/lua'
import type { ModuleDescription } from '../catalogue/catalogue.ts'
import { type CatalogueLookup, catalogueLookup } from '../catalogue/lookup.ts'
import type { Completeness, Completion, CompletionItem, MimeBundle } from '../engine.ts'
import { OWN_CHUNK } from './script-errors.ts'

/** Characters before a word in which the name of its table is looked for. */
const OWNER_LENGTH = 200

/** Completion and inspection: what the namespace holds, with what the catalogue and the standard library document. */
export class Introspection {
  readonly #vm: LuaVM
  readonly #lookup: CatalogueLookup
  readonly inspector: LuaInspector

  /** Made before code of the user runs. */
  constructor(vm: LuaVM, modules: readonly ModuleDescription[]) {
    this.#vm = vm
    this.#lookup = catalogueLookup(modules, 'lua')
    this.inspector = new LuaInspector(vm)
  }

  complete(code: string, offset: number): Completion {
    const { items, start, end } = this.inspector.complete(code, offset)
    const owner = /([A-Za-z_]\w*)\s*[.:]\s*$/.exec(code.slice(Math.max(0, start - OWNER_LENGTH), start))?.[1] ?? ''
    const documented = this.#lookup.items(owner)
    return { items: items.map((item) => toItem(item, documented)), start, end }
  }

  inspect(code: string, offset: number, detail: 0 | 1): MimeBundle | undefined {
    const found = this.inspector.inspect(code, offset)
    if (!found) return undefined
    const isUsers = found.source !== undefined && !found.source.endsWith(OWN_CHUNK)
    return (isUsers ? undefined : this.#lookup.inspect(found.name)) ?? describe(found, detail)
  }

  isComplete(code: string): Completeness {
    return completeness(this.#vm, code)
  }
}

/** A function of the engine takes anything, as Lua sees it; the catalogue knows better. */
const ANY_PARAMETERS = '(...)'

/** Kinds that Jupyter front ends draw; the type of a plain value says more than `instance` but has no picture. */
function toItem({ text, kind, signature }: LuaItem, documented: readonly CompletionItem[]): CompletionItem {
  const isKnown = kind === 'function' || kind === 'module' || kind === 'keyword'
  const known = signature === ANY_PARAMETERS ? documented.find((item) => item.text === text)?.signature : undefined
  const shown = known ?? (signature === undefined ? undefined : text + signature)
  return { text, kind: isKnown ? kind : 'instance', ...(shown !== undefined && { signature: shown }) }
}

function describe(found: Description, detail: 0 | 1): MimeBundle {
  const title = found.signature === undefined ? `${found.name}: ${found.type}` : `${found.name}${found.signature}`
  const lines: string[] = []
  if (found.doc !== undefined) lines.push(found.doc)
  if (found.source !== undefined) lines.push(`Defined in ${found.source.replace(/^[@=]/, '')}, line ${found.firstLine}`)
  else if (found.doc === undefined) lines.push(found.value)
  if (found.fields) lines.push(`${found.fields} ${found.fields === 1 ? 'entry' : 'entries'}`)
  if (detail === 1 && found.source === undefined && found.doc !== undefined && found.type !== 'function') lines.push(found.value)
  const body = lines.join('\n\n')
  return { 'text/plain': `${title}\n\n${body}`, 'text/markdown': `\`\`\`lua\n${title}\n\`\`\`\n\n${body}` }
}
