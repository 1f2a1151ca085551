import { LlmspellError, nearest } from '@llmspell/base'
import type { EngineFactory, Language } from '@llmspell/script'

const ALIASES: Readonly<Record<string, Language>> = {
  lua: 'lua',
  js: 'javascript',
  javascript: 'javascript',
  ts: 'typescript',
  typescript: 'typescript',
}

/** What may follow `%%` on the first line of a cell. */
export const LANGUAGE_NAMES: readonly string[] = Object.keys(ALIASES)

/** The language a user means by `lua`, `js`, `ts` and their long names; `undefined` for other words. */
export function languageOf(name: string): Language | undefined {
  return Object.hasOwn(ALIASES, name) ? ALIASES[name] : undefined
}

/** The language of a request's `metadata.llmspell`, or the given one when it names none. */
export function requestedLanguage(metadata: Record<string, unknown>, otherwise: Language): Language {
  const extension = metadata['llmspell']
  if (typeof extension !== 'object' || extension === null) return otherwise
  const name = (extension as Record<string, unknown>)['language']
  if (name === undefined) return otherwise
  const language = typeof name === 'string' ? languageOf(name) : undefined
  if (language) return language
  const near = typeof name === 'string' ? nearest(name, LANGUAGE_NAMES) : undefined
  throw new LlmspellError(`metadata.llmspell.language: unknown language ${JSON.stringify(name)}`, {
    code: 'kernel.invalid_request',
    data: { path: 'metadata.llmspell.language' },
    hint: near ? `Did you mean '${near}'?` : `Known: ${LANGUAGE_NAMES.join(', ')}.`,
  })
}

/** `language_info` of kernel_info_reply; front ends pick highlighting, exporters and file names by it. */
export function languageInfo(language: Language, engines: readonly EngineFactory[]): Record<string, unknown> {
  const version = engines.find((factory) => factory.languages.includes(language))?.versions?.[language] ?? ''
  return { ...LANGUAGE_INFO[language], version }
}

// Zed reads `codemirror_mode` as a string or as an object with a numeric version.
const LANGUAGE_INFO: Readonly<Record<Language, Record<string, unknown>>> = {
  lua: {
    name: 'lua',
    mimetype: 'text/x-lua',
    file_extension: '.lua',
    pygments_lexer: 'lua',
    codemirror_mode: { name: 'lua', version: 1 },
    nbconvert_exporter: 'script',
  },
  javascript: {
    name: 'javascript',
    mimetype: 'text/javascript',
    file_extension: '.js',
    pygments_lexer: 'javascript',
    codemirror_mode: { name: 'javascript', version: 1 },
    nbconvert_exporter: 'script',
  },
  typescript: {
    name: 'typescript',
    mimetype: 'text/typescript',
    file_extension: '.ts',
    pygments_lexer: 'typescript',
    codemirror_mode: { name: 'javascript', typescript: true, version: 1 },
    nbconvert_exporter: 'script',
  },
}
