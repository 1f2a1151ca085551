import { LlmspellError, nearest } from '@llmspell/base'
import type { CallContext, CatalogueFunction, CatalogueModule } from './catalogue.ts'
import { checkArguments } from './check-arguments.ts'

/** Runs catalogue functions by their full name (`State.get`), arguments checked first. */
export type CatalogueDispatcher = (name: string, args: readonly unknown[], context: CallContext) => Promise<unknown>

/**
 * The kernel's side of `EngineHost.call`.
 *
 * @throws (rejects) LlmspellError `catalogue.unknown_function` with the nearest known name, or what `checkArguments` and the function throw.
 */
export function catalogueDispatcher(modules: readonly CatalogueModule[]): CatalogueDispatcher {
  const functions = new Map<string, { module: string; description: CatalogueFunction }>()
  for (const module of modules) {
    for (const description of module.functions) functions.set(`${module.name}.${description.name}`, { module: module.name, description })
  }
  return async (name, args, context) => {
    const found = functions.get(name)
    if (!found) {
      const suggestion = nearest(name, functions.keys())
      throw new LlmspellError(`unknown function '${name}'${suggestion ? `; did you mean '${suggestion}'?` : ''}`, {
        code: 'catalogue.unknown_function',
        data: { function: name, ...(suggestion && { suggestion }) },
      })
    }
    return await found.description.run(checkArguments(found.module, found.description, args), context)
  }
}
