import type { CompletionItem, MimeBundle } from '../engine.ts'
import type { ModuleDescription } from './catalogue.ts'
import { functionMarkdown, functionPlain } from './reference.ts'
import { inLanguage, qualifiedName, type SignatureLanguage, signatureText, typeText } from './type-text.ts'

/** What is known of the globals without asking a script: completion items and documentation by name. */
export interface CatalogueLookup {
  /** Items for the fields of `owner` (`State`), or for globals when it is ''. */
  items(owner: string): readonly CompletionItem[]
  /** Documentation of `State`, `State.get`, `display`…; undefined when the catalogue does not know it. */
  inspect(name: string): MimeBundle | undefined
}

export function catalogueLookup(modules: readonly ModuleDescription[], language: SignatureLanguage): CatalogueLookup {
  const items = new Map<string, CompletionItem[]>([['', []]])
  const documents = new Map<string, () => MimeBundle>()
  const add = (owner: string, item: CompletionItem): void => {
    const list = items.get(owner)
    if (list) list.push(item)
    else items.set(owner, [item])
  }
  for (const module of modules) {
    if (!inLanguage(module, language)) continue
    const owner = module.global ? '' : module.name
    if (!module.global) {
      add('', { text: module.name, kind: 'module' })
      documents.set(module.name, () => moduleDocument(module, language))
    }
    for (const value of module.values ?? []) {
      add(owner, { text: value.name, kind: owner === '' ? 'instance' : 'property' })
      const name = qualifiedName(module, value.name)
      const title = `${name}: ${typeText(language, value)}`
      documents.set(name, () => ({
        'text/plain': `${title}\n\n${value.doc}`,
        'text/markdown': `\`\`\`${language}\n${title}\n\`\`\`\n\n${value.doc}`,
      }))
    }
    for (const description of module.functions) {
      const document = (): MimeBundle => ({
        'text/plain': functionPlain(language, module, description),
        'text/markdown': functionMarkdown(language, module, description),
      })
      const names = description.sync && language === 'javascript' ? [description.name, `${description.name}Sync`] : [description.name]
      for (const name of names) {
        const text = signatureText(language, module, description, name !== description.name)
        add(owner, { text: name, kind: 'function', signature: text })
        documents.set(qualifiedName(module, name), document)
      }
    }
  }
  return { items: (owner) => items.get(owner) ?? [], inspect: (name) => documents.get(name)?.() }
}

function moduleDocument(module: ModuleDescription, language: SignatureLanguage): MimeBundle {
  const lines = module.functions.map((description) => signatureText(language, module, description))
  return {
    'text/plain': `${module.doc}\n\n${lines.join('\n')}`,
    'text/markdown': `${module.doc}\n\n\`\`\`${language}\n${lines.join('\n')}\n\`\`\``,
  }
}
