import { PROTOCOL_VERSION } from '@llmspell/jupyter'
import type { Handler } from '../feature.ts'
import { languageInfo } from '../languages.ts'
import type { Services } from '../services.ts'

/** Answered before any engine is ready; the content never changes in the life of a kernel. */
export function kernelInfoHandler({ record, owned, defaultLanguage, engines, supportedFeatures }: Services): Handler<unknown> {
  const languages = engines.flatMap((factory) => factory.languages)
  const reply = {
    status: 'ok',
    protocol_version: PROTOCOL_VERSION,
    implementation: 'llmspell',
    implementation_version: record.version,
    language_info: languageInfo(defaultLanguage, engines),
    banner: bannerOf(record.version, languages, owned),
    debugger: true,
    help_links: HELP_LINKS,
    supported_features: ['debugger', ...supportedFeatures],
  }
  return () => reply
}

function bannerOf(version: string, languages: readonly string[], owned: boolean): string {
  const others = languages.map((language) => `%%${language}`).join(', ')
  const lines = [`llmspell ${version}: ${languages.join(', ')} in one kernel (${others} on the first line picks the language of a cell)`]
  if (!owned) lines.push('This kernel is shared: leaving a client does not stop it.')
  return lines.join('\n')
}

const HELP_LINKS = [
  { text: 'Lua 5.4 manual', url: 'https://www.lua.org/manual/5.4/' },
  { text: 'JavaScript', url: 'https://developer.mozilla.org/docs/Web/JavaScript' },
  { text: 'TypeScript', url: 'https://www.typescriptlang.org/docs/' },
  { text: 'Node.js', url: 'https://nodejs.org/api/' },
]
