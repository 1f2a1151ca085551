import type { ContentOf } from '@llmspell/jupyter'
import { toCodePointOffset, toUtf16Offset } from '@llmspell/jupyter'
import { parseDraft } from '../cell-magic.ts'
import type { Handler } from '../feature.ts'
import { LANGUAGE_NAMES, requestedLanguage } from '../languages.ts'
import type { Services } from '../services.ts'

interface Match {
  text: string
  kind: string
  signature?: string
}

export function completeHandler({ pool, defaultLanguage }: Services): Handler<ContentOf<'complete_request'>> {
  return async ({ code, cursor_pos }, { message }) => {
    const language = requestedLanguage(message.metadata, defaultLanguage)
    const offset = toUtf16Offset(code, cursor_pos)
    const magic = MAGIC.exec(code.slice(0, offset))
    if (magic) return replyOf(code, magicsStartingWith(magic[1] ?? ''), 0, offset)

    const cell = parseDraft(code, language)
    const slot = pool.sharedSlot(cell.language)
    if (!slot.ready) await slot.whenReady
    const { items, start, end } = await slot.engine.complete(cell.code, Math.max(0, offset - cell.removed), cell.language)
    return replyOf(code, items, start + cell.removed, end + cell.removed)
  }
}

/** The cursor stands in a cell magic that is being written. */
const MAGIC = /^%%(\w*)$/

function magicsStartingWith(prefix: string): Match[] {
  return LANGUAGE_NAMES.filter((name) => name.startsWith(prefix)).map((name) => ({ text: `%%${name}`, kind: 'magic' }))
}

function replyOf(code: string, items: readonly Match[], start: number, end: number): object {
  const cursor_start = toCodePointOffset(code, start)
  const cursor_end = toCodePointOffset(code, end)
  return {
    status: 'ok',
    matches: items.map((item) => item.text),
    cursor_start,
    cursor_end,
    metadata: {
      _jupyter_types_experimental: items.map(({ text, kind, signature }) => ({
        text,
        type: kind,
        start: cursor_start,
        end: cursor_end,
        ...(signature !== undefined && { signature }),
      })),
    },
  }
}
