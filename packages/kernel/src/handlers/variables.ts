import type { Handler } from '../feature.ts'
import { requestedLanguage } from '../languages.ts'
import type { Services } from '../services.ts'

/** Variables of the shared namespace of one language; an engine that was never used has none and is not started for this. */
export function variablesHandler({ pool, defaultLanguage }: Services): Handler<unknown> {
  return async (_content, { message }) => {
    const language = requestedLanguage(message.metadata, defaultLanguage)
    const factory = pool.factoryOf(language)
    const slot = [...pool.shared].find((candidate) => candidate.factory === factory)
    if (!slot) return { status: 'ok', variables: [] }
    if (!slot.ready) await slot.whenReady
    const variables = await slot.engine.variables()
    return { status: 'ok', variables: variables.map((variable) => ({ ...variable, language })) }
  }
}
