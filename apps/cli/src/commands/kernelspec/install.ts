import { installKernelspecs } from '@llmspell/manager/kernelspec'
import { type Context, flag } from '../../context.ts'
import { EXIT } from '../../exit-codes.ts'
import { kernelEntry } from '../../session/kernel-entry.ts'
import { languagesOption, scopeOption } from './scope.ts'

export async function run(context: Context): Promise<number> {
  const { terminal, env } = context
  const installed = installKernelspecs({ scope: scopeOption(context), languages: languagesOption(context), entry: kernelEntry(), env })
  if (flag(context, 'json')) terminal.out(`${JSON.stringify({ installed })}\n`)
  else {
    for (const { name, directory } of installed) terminal.out(`installed ${name} in ${directory}\n`)
    terminal.out(`try it: jupyter console --kernel ${installed[0]?.name}\n`)
  }
  return EXIT.ok
}
