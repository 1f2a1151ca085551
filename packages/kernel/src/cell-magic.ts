import { LlmspellError, nearest } from '@llmspell/base'
import type { Language } from '@llmspell/script'
import { LANGUAGE_NAMES, languageOf } from './languages.ts'

export interface Cell {
  language: Language
  /** Without the magic; an empty line stands for it, so that line numbers are the user's. */
  code: string
  /** UTF-16 units that were taken from the front: what offsets into the cell are ahead of offsets into `code`. */
  removed: number
}

/** Reads `%%lua`, `%%js`, `%%ts` on the first line. Other `%%` words are refused: no language has such a line. */
export function parseCell(text: string, language: Language): Cell {
  if (!text.startsWith('%%')) return { language, code: text, removed: 0 }
  const end = text.indexOf('\n')
  const line = (end < 0 ? text : text.slice(0, end)).trimEnd()
  const [name = '', ...rest] = line.slice(2).split(/\s+/)
  const chosen = languageOf(name)
  if (!chosen) throw unknownMagic(name)
  if (rest.length > 0)
    throw new LlmspellError(`%%${name} takes no arguments`, {
      code: 'kernel.unknown_magic',
      data: { magic: line },
      hint: 'Put the code on the lines below it.',
    })
  return end < 0 ? { language: chosen, code: '', removed: text.length } : { language: chosen, code: text.slice(end), removed: end }
}

/** As `parseCell`, for completion and inspection: a cell that is being written may hold half a magic, which is no error. */
export function parseDraft(text: string, language: Language): Cell {
  try {
    return parseCell(text, language)
  } catch {
    return { language, code: text, removed: 0 }
  }
}

function unknownMagic(name: string): LlmspellError {
  const near = nearest(name, LANGUAGE_NAMES)
  return new LlmspellError(`unknown cell magic %%${name}`, {
    code: 'kernel.unknown_magic',
    data: { magic: name },
    hint: near ? `Did you mean %%${near}?` : `Known: ${LANGUAGE_NAMES.map((known) => `%%${known}`).join(', ')}.`,
  })
}
