import { uninstallKernelspecs } from '@llmspell/manager/kernelspec'
import { type Context, flag } from '../../context.ts'
import { EXIT } from '../../exit-codes.ts'
import { languagesOption, scopeOption } from './scope.ts'

export async function run(context: Context): Promise<number> {
  const { terminal, env } = context
  const removed = uninstallKernelspecs({ scope: scopeOption(context), languages: languagesOption(context), env })
  if (flag(context, 'json')) terminal.out(`${JSON.stringify({ removed })}\n`)
  else if (removed.length === 0) terminal.out('nothing was installed there\n')
  else for (const { directory } of removed) terminal.out(`removed ${directory}\n`)
  return EXIT.ok
}
