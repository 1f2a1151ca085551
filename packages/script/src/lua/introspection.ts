import { completeness, type Description, type Documentation, LuaInspector, type LuaVM } from '@llmspell/lua'
import type { ModuleDescription } from '../catalogue/catalogue.ts'
import { type CatalogueLookup, catalogueLookup } from '../catalogue/lookup.ts'
import { inLanguage, qualifiedName, signatureText } from '../catalogue/type-text.ts'
import type { Completeness, Completion, CompletionItem, MimeBundle } from '../engine.ts'
import { OWN_CHUNK } from './script-errors.ts'

/** Completion and inspection: what the namespace holds, with what the catalogue and the standard library document. */
export class Introspection {
  readonly #vm: LuaVM
  readonly #lookup: CatalogueLookup
  readonly #inspector: LuaInspector

  /** Made before code of the user runs. */
  constructor(vm: LuaVM, modules: readonly ModuleDescription[]) {
    this.#vm = vm
    this.#lookup = catalogueLookup(modules, 'lua')
    this.#inspector = new LuaInspector(vm, documentation(modules))
  }

  complete(code: string, offset: number): Completion {
    const { items, start, end } = this.#inspector.complete(code, offset)
    return { items: items.map(toItem), start, end }
  }

  inspect(code: string, offset: number, detail: 0 | 1): MimeBundle | undefined {
    const found = this.#inspector.inspect(code, offset)
    if (!found) return undefined
    const isUsers = found.source !== undefined && !found.source.endsWith(OWN_CHUNK)
    return (isUsers ? undefined : this.#lookup.inspect(found.name)) ?? describe(found, detail)
  }

  isComplete(code: string): Completeness {
    return completeness(this.#vm, code)
  }
}

function documentation(modules: readonly ModuleDescription[]): Record<string, Documentation> {
  const found: Record<string, Documentation> = {}
  for (const module of modules.filter((candidate) => inLanguage(candidate, 'lua'))) {
    if (!module.global) found[module.name] = { doc: module.doc }
    for (const value of module.values ?? []) found[qualifiedName(module, value.name)] = { doc: value.doc }
    for (const description of module.functions) {
      const name = qualifiedName(module, description.name)
      found[name] = { signature: signatureText('lua', module, description).slice(name.length), doc: description.doc }
    }
  }
  return found
}

/** Kinds that Jupyter front ends draw; the type of a plain value says more than `instance` but has no picture. */
function toItem({ text, kind, signature }: { text: string; kind: string; signature?: string }): CompletionItem {
  const known = kind === 'function' || kind === 'module' || kind === 'keyword'
  return { text, kind: known ? kind : 'instance', ...(signature !== undefined && { signature: text + signature }) }
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
