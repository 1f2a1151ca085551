import type { KernelClient } from '@llmspell/client'
import { checkKernelId } from '@llmspell/config/paths'
import type { ConnectionInfo } from '@llmspell/jupyter'
import { connectTo, DEFAULT_KERNEL_ID, registeredKernel, resolveTarget } from '@llmspell/manager'
import { type Context, option } from '../context.ts'
import { startTrace } from './trace.ts'

/** The id given as an argument or by `--id`. Code `config.bad_kernel_id` for what cannot be one. */
export function kernelId(context: Context): string {
  return checkKernelId(context.invocation.positionals[0] ?? option(context, 'id') ?? DEFAULT_KERNEL_ID)
}

/** The running kernel that a command of `llmspell kernel` is about; none is started. */
export function kernelConnection(context: Context): ConnectionInfo {
  const target = option(context, 'connect')
  if (target !== undefined) return resolveTarget(context.paths, target, context.env)
  return registeredKernel(context.paths, kernelId(context)).connection
}

export async function withKernel<T>(context: Context, use: (client: KernelClient, connection: ConnectionInfo) => Promise<T>): Promise<T> {
  const connection = kernelConnection(context)
  const client = await connectTo(connection)
  startTrace(context, client)
  try {
    return await use(client, connection)
  } finally {
    await client.close()
  }
}
