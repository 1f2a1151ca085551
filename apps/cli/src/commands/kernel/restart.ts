import { type Context, flag } from '../../context.ts'
import { EXIT } from '../../exit-codes.ts'
import { withKernel } from '../../session/kernel-argument.ts'

export function run(context: Context): Promise<number> {
  return withKernel(context, async (client) => {
    await client.shutdown({ restart: true, inPlace: true, timeoutMs: 60_000 })
    context.terminal.out(flag(context, 'json') ? `${JSON.stringify({ restarted: true })}\n` : 'the kernel has fresh namespaces\n')
    return EXIT.ok
  })
}
