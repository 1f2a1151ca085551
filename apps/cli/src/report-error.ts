import { codeOf, LlmspellError, messageOf } from '@llmspell/base'
import { exitCodeOf } from './exit-codes.ts'
import type { Terminal } from './terminal.ts'

/** Says what failed and what to do next, and returns the exit code. An error that is not of our family is a fault of ours: with its stack. */
export function reportError(error: unknown, terminal: Terminal, json: boolean): number {
  const known = LlmspellError.is(error) || SYSTEM_ERROR.test(codeOf(error) ?? '')
  const code = exitCode(error)
  const hint = LlmspellError.is(error) ? error.hint : undefined
  if (json) {
    const data = LlmspellError.is(error) ? error.data : undefined
    terminal.out(`${JSON.stringify({ error: { code: codeOf(error) ?? 'internal', message: messageOf(error), hint, data } })}\n`)
    return code
  }
  const bold = (text: string): string => `\x1b[31;1m${text}\x1b[0m`
  terminal.note(`${bold('llmspell:')} ${known ? messageOf(error) : ((error as Error)?.stack ?? String(error))}\n`)
  if (hint) terminal.note(`  ${hint}\n`)
  if (!known) terminal.note('  This is a fault in llmspell; please report it with the lines above.\n')
  return code
}

const SYSTEM_ERROR = /^E[A-Z]+$/

/** A failed start is told by its reason: a wrong configuration is one wherever it is found. */
function exitCode(error: unknown): number {
  const reason = LlmspellError.is(error) ? error.data['reason'] : undefined
  return exitCodeOf(typeof reason === 'string' && reason.startsWith('config.') ? reason : codeOf(error))
}
