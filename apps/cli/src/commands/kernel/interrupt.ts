import { type Context, flag, option } from '../../context.ts'
import { EXIT } from '../../exit-codes.ts'
import { withKernel } from '../../session/kernel-argument.ts'

export function run(context: Context): Promise<number> {
  return withKernel(context, async (client) => {
    const execution = option(context, 'execution')
    await client.interrupt(execution === undefined ? {} : { execution })
    context.terminal.out(flag(context, 'json') ? `${JSON.stringify({ interrupted: true })}\n` : 'interrupted\n')
    return EXIT.ok
  })
}
