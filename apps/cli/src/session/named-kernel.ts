import { connectTo, isCompatible, resolveTarget } from '@llmspell/manager'
import type { Context } from '../context.ts'
import type { OpenKernel } from './open-kernel.ts'
import { startTrace } from './trace.ts'

/** The kernel of `--connect`; none is started. */
export async function openNamed(context: Context, target: string, onUnresponsive: (unresponsive: boolean) => void): Promise<OpenKernel> {
  const { paths, env, terminal, version } = context
  const connection = resolveTarget(paths, target, env)
  const client = await connectTo(connection, { onUnresponsive })
  startTrace(context, client)
  const record = connection.llmspell
  if (record && !isCompatible(record.version, version))
    terminal.note(`llmspell: the kernel "${record.id}" is of version ${record.version}, this is ${version}; some things may not work.\n`)
  return { client, connection, started: false }
}
