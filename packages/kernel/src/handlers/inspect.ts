import type { ContentOf } from '@llmspell/jupyter'
import { toUtf16Offset } from '@llmspell/jupyter'
import { parseDraft } from '../cell-magic.ts'
import type { Handler } from '../feature.ts'
import { requestedLanguage } from '../languages.ts'
import type { Services } from '../services.ts'

export function inspectHandler({ pool, defaultLanguage }: Services): Handler<ContentOf<'inspect_request'>> {
  return async ({ code, cursor_pos, detail_level }, { message }) => {
    const cell = parseDraft(code, requestedLanguage(message.metadata, defaultLanguage))
    const slot = pool.sharedSlot(cell.language)
    if (!slot.ready) await slot.whenReady
    const offset = Math.max(0, toUtf16Offset(code, cursor_pos) - cell.removed)
    const data = await slot.engine.inspect(cell.code, offset, detail_level, cell.language)
    return { status: 'ok', found: data !== undefined, data: data ?? {}, metadata: {} }
  }
}
