import { type Context, flag, option } from '../../context.ts'
import { EXIT } from '../../exit-codes.ts'
import { withKernel } from '../../session/kernel-argument.ts'

export function run(context: Context): Promise<number> {
  return withKernel(context, async (client) => {
    const execution = option(context, 'execution')
    // A kernel that is not ours does not tell.
    const interrupted = (await client.interrupt(execution === undefined ? {} : { execution })) ?? true
    if (flag(context, 'json')) context.terminal.out(`${JSON.stringify({ interrupted })}\n`)
    else context.terminal.out(interrupted ? 'interrupted\n' : 'nothing was running\n')
    return EXIT.ok
  })
}
