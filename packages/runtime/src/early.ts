import { startLuaThreadEarly } from '@llmspell/script/lua/thread'

/** What may start before configuration and kernel are even loaded, for a kernel of this language. */
export function startEarly(language: string | undefined): void {
  if (language === 'lua') startLuaThreadEarly()
}
