import { existsSync } from 'node:fs'
import type { KernelClient } from '@llmspell/client'
import type { ConnectionInfo } from '@llmspell/jupyter'
import { type AcquireNotice, acquireKernel } from '@llmspell/manager/acquire'
import { type Context, option } from '../context.ts'
import { kernelEntry } from './kernel-entry.ts'
import { startTrace, traceTopics } from './trace.ts'

export interface OpenKernel {
  client: KernelClient
  connection: ConnectionInfo
  /** It was started for this command. */
  started: boolean
}

/** The kernel that `--connect` names, or the user's own, started if none runs. */
export async function openKernel(context: Context): Promise<OpenKernel> {
  const { paths, terminal, env, version } = context
  const onUnresponsive = (unresponsive: boolean): void =>
    terminal.note(
      unresponsive ? 'llmspell: the kernel does not answer; still waiting (Ctrl-C to leave)\n' : 'llmspell: the kernel answers again\n',
    )
  const target = option(context, 'connect')
  if (target !== undefined) return (await import('./named-kernel.ts')).openNamed(context, target, onUnresponsive)
  const topics = traceTopics(context)
  const { client, kernel, started } = await acquireKernel({
    paths,
    version,
    entry: kernelEntry(),
    cwd: homeOrRoot(env),
    env: topics === undefined ? env : { ...env, LLMSPELL_TRACE: topics },
    onUnresponsive,
    onNotice: (notice) => tell(context, notice),
  })
  terminal.progress(undefined)
  startTrace(context, client)
  return { client, connection: kernel.connection, started }
}

/** A kernel that others will use, too, stands in nobody's project, and keeps no file system busy. */
function homeOrRoot(env: NodeJS.ProcessEnv): string {
  const home = env['HOME']
  return home !== undefined && existsSync(home) ? home : '/'
}

function tell({ terminal, version }: Context, notice: AcquireNotice): void {
  switch (notice.type) {
    case 'starting':
      terminal.progress('starting a kernel…')
      break
    case 'replacing_dead':
      terminal.note(
        `llmspell: the kernel (process ${notice.record.pid}) died; starting a new one. Saved state is kept, variables are gone.\n`,
      )
      break
    case 'other_version':
      terminal.note(
        `llmspell: the kernel "${notice.record.id}" is of version ${notice.record.version}, this is ${version}: using "${notice.id}" beside it.\n` +
          `  To replace it once its work is done: llmspell kernel stop ${notice.record.id}\n`,
      )
      break
    case 'started':
      break
  }
}
