import { LlmspellError } from '@llmspell/base'
import { type KernelRecord, scriptLanguage } from '@llmspell/jupyter'
import { type Context, option } from '../context.ts'

export type Language = KernelRecord['language']

const NAMES: Record<string, Language> = {
  lua: 'lua',
  js: 'javascript',
  javascript: 'javascript',
  ts: 'typescript',
  typescript: 'typescript',
}

/** What `--lang` says; `undefined` without it. */
export function languageOption(context: Context): Language | undefined {
  const name = option(context, 'lang')
  return name === undefined ? undefined : NAMES[name]
}

export function languageNamed(name: string): Language | undefined {
  return NAMES[name]
}

export const LANGUAGE_NAMES: readonly string[] = Object.keys(NAMES)

/** Code `usage.unknown_language` when the ending tells nothing. */
export function languageOfFile(file: string): Language {
  const language = scriptLanguage(file)
  if (language) return language
  throw new LlmspellError(`cannot tell the language of ${file} by its ending`, {
    code: 'usage.unknown_language',
    data: { file },
    hint: 'Say it with --lang lua, --lang js or --lang ts.',
  })
}
