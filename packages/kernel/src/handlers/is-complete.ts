import type { ContentOf } from '@llmspell/jupyter'
import { parseDraft } from '../cell-magic.ts'
import { parseDocumentationQuery } from '../documentation-query.ts'
import type { Handler } from '../feature.ts'
import { requestedLanguage } from '../languages.ts'
import type { Services } from '../services.ts'

export function isCompleteHandler({ pool, defaultLanguage }: Services): Handler<ContentOf<'is_complete_request'>> {
  return async ({ code }, { message }) => {
    const cell = parseDraft(code, requestedLanguage(message.metadata, defaultLanguage))
    // A magic alone waits for the code below it.
    if (cell.removed > 0 && cell.code.trim() === '') return { status: 'incomplete', indent: '' }
    if (parseDocumentationQuery(cell.code)) return { status: 'complete' }
    const slot = pool.sharedSlot(cell.language)
    if (!slot.ready) await slot.whenReady
    return { ...(await slot.engine.isComplete(cell.code, cell.language)) }
  }
}
