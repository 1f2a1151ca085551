import { nearest } from '@llmspell/base'
import { standardLibrary } from '@llmspell/lua'
import type { ModuleDescription } from '../catalogue/catalogue.ts'
import { inLanguage, qualifiedName } from '../catalogue/type-text.ts'

/** The documented name that a missing global or field comes near to. */
export function suggestName(modules: readonly ModuleDescription[], name: string, kind: 'global' | 'field'): string | undefined {
  const known = new Set(Object.keys(standardLibrary))
  for (const module of modules) {
    if (!inLanguage(module, 'lua')) continue
    if (!module.global) known.add(module.name)
    for (const { name: field } of [...module.functions, ...(module.values ?? [])]) known.add(qualifiedName(module, field))
  }
  // A known name without a value has been set to nil: no misspelling.
  known.delete(name)
  if (kind === 'global')
    return nearest(
      name,
      [...known].filter((candidate) => !candidate.includes('.')),
    )
  const fields = [...known].filter((candidate) => candidate.includes('.'))
  const field = nearest(name, fields.map(lastPart))
  return (
    field &&
    fields
      .filter((candidate) => lastPart(candidate) === field)
      .slice(0, MOST)
      .join(' or ')
  )
}

/** The same function name may be in several modules. */
const MOST = 2

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('.') + 1)
}
