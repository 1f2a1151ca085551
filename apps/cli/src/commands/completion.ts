import { basename } from 'node:path'
import { LlmspellError, nearest } from '@llmspell/base'
import { SETTING_NAMES } from '@llmspell/config'
import { completionScript, type Shell } from '../command-line/completion.ts'
import { type Context, flag } from '../context.ts'
import { EXIT } from '../exit-codes.ts'

const SHELLS: readonly string[] = ['bash', 'zsh', 'fish']

export async function run(context: Context): Promise<number> {
  const { terminal, env, invocation } = context
  const shell = invocation.positionals[0] ?? basename(env['SHELL'] ?? '')
  if (!SHELLS.includes(shell)) {
    const near = nearest(shell, SHELLS)
    throw new LlmspellError(shell ? `there is no completion for "${shell}"` : 'completion needs SHELL', {
      code: 'usage.bad_argument',
      hint: near ? `Did you mean "${near}"?` : 'It is one of bash, zsh, fish.',
    })
  }
  const script = completionScript(invocation.path[0] as (typeof invocation.path)[number], shell as Shell, SETTING_NAMES)
  terminal.out(flag(context, 'json') ? `${JSON.stringify({ script })}\n` : script)
  return EXIT.ok
}
