import { resolve } from 'node:path'
import { LlmspellError } from '@llmspell/base'
import { KERNELSPEC_LANGUAGES, type KernelspecScope } from '@llmspell/manager/kernelspec'
import { type Context, flag, option } from '../../context.ts'
import { type Language, languageOption } from '../../session/languages.ts'

/** Where to install or uninstall; code `usage.bad_option` when several places are named. */
export function scopeOption(context: Context): KernelspecScope {
  const prefix = option(context, 'prefix')
  const scopes: KernelspecScope[] = [
    ...(flag(context, 'user') ? [{ type: 'user' } as const] : []),
    ...(prefix === undefined ? [] : [{ type: 'prefix', directory: resolve(context.cwd, prefix) } as const]),
    ...(flag(context, 'sys-prefix') ? [{ type: 'sys-prefix' } as const] : []),
  ]
  if (scopes.length > 1)
    throw new LlmspellError('--user, --prefix and --sys-prefix exclude each other', { code: 'usage.bad_option', hint: 'Name one place.' })
  return scopes[0] ?? { type: 'user' }
}

export function languagesOption(context: Context): readonly Language[] {
  const language = languageOption(context)
  return language === undefined ? KERNELSPEC_LANGUAGES : [language]
}
