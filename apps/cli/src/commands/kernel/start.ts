import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { LlmspellError, messageOf } from '@llmspell/base'
import { SETTINGS } from '@llmspell/config'
import {
  isHeld,
  isKernelRunning,
  lockStart,
  type RegisteredKernel,
  readKernel,
  removeRemains,
  runKernel,
  spawnKernel,
} from '@llmspell/manager'
import { type Context, flag, option } from '../../context.ts'
import { EXIT } from '../../exit-codes.ts'
import { kernelId } from '../../session/kernel-argument.ts'
import { kernelEntry } from '../../session/kernel-entry.ts'
import { languageOption } from '../../session/languages.ts'
import { traceTopics } from '../../session/trace.ts'

export async function run(context: Context): Promise<number> {
  const { paths, terminal } = context
  const id = kernelId(context)
  const daemon = flag(context, 'daemon')
  const options = spawnOptions(context, id)
  terminal.progress('starting a kernel…')
  const lock = await lockStart(paths, id)
  if (!isHeld(lock)) throw alreadyRunning(lock)
  try {
    const found = readKernel(paths, id)
    if (found && isKernelRunning(found)) throw alreadyRunning(found)
    if (found) removeRemains(found)
    if (daemon) {
      const started = await spawnKernel({ ...options, startedBy: 'daemon' })
      tell(context, { ...started, language: readKernel(paths, id)?.record.language })
      return EXIT.ok
    }
    const kernel = runKernel({ ...options, startedBy: 'foreground' })
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => kernel.signal(signal))
    // The terminal sends Ctrl-C to the kernel as well, which then ends in good order.
    process.on('SIGINT', () => {})
    const started = await kernel.ready
    lock.release()
    tell(context, { ...started, language: readKernel(paths, id)?.record.language })
    return (await kernel.exited) ?? EXIT.ok
  } finally {
    lock.release()
  }
}

function spawnOptions(context: Context, id: string): Omit<Parameters<typeof spawnKernel>[0], 'startedBy'> {
  const { paths, cwd, env } = context
  const port = option(context, 'port')
  const topics = traceTopics(context)
  return {
    paths,
    id,
    entry: kernelEntry(),
    cwd,
    env: topics === undefined ? env : { ...env, LLMSPELL_TRACE: topics },
    idleTimeout: idleTimeout(context),
    ...definedOnly({
      language: languageOption(context),
      port: port === undefined ? undefined : checkPort(port),
      connectionFile: connectionFile(context),
    }),
  }
}

function idleTimeout(context: Context): number {
  const text = option(context, 'idle-timeout')
  if (text === undefined) return 0
  try {
    return SETTINGS['kernel.idle_timeout'].kind.parse(text)
  } catch (cause) {
    throw new LlmspellError(`--idle-timeout cannot be "${text}": ${messageOf(cause)}`, {
      code: 'usage.bad_option',
      cause,
      hint: 'Write 30m, 2h or 0 for never.',
    })
  }
}

function checkPort(text: string): number {
  const port = Number(text)
  if (port >= 1_024 && port <= 65_531) return port
  throw new LlmspellError(`--port cannot be ${text}`, {
    code: 'usage.bad_option',
    hint: 'A kernel takes five ports, N to N+4, from 1024 to 65535.',
  })
}

/** A file that is there would be taken for one that Jupyter made, ports and key included. */
function connectionFile(context: Context): string | undefined {
  const given = option(context, 'connection-file')
  if (given === undefined) return undefined
  const file = resolve(context.cwd, given)
  if (!existsSync(file)) return file
  throw new LlmspellError(`${file} exists`, {
    code: 'usage.bad_option',
    data: { file },
    hint: 'Remove it if no kernel uses it any more, or name another.',
  })
}

function alreadyRunning({ record }: RegisteredKernel): LlmspellError {
  return new LlmspellError(`the kernel "${record.id}" already runs, process ${record.pid}`, {
    code: 'kernel.already_running',
    data: { id: record.id, pid: record.pid },
    hint: `Stop it with \`llmspell kernel stop ${record.id}\`, or start another with --id NAME.`,
  })
}

function tell(context: Context, started: { id: string; pid: number; connectionFile: string; language: string | undefined }): void {
  const { terminal } = context
  if (flag(context, 'json')) {
    terminal.out(`${JSON.stringify(started)}\n`)
    return
  }
  terminal.out(`kernel "${started.id}" is ready, process ${started.pid}\n  connection file  ${started.connectionFile}\n`)
  if (flag(context, 'daemon')) terminal.out(`  stop it with     llmspell kernel stop${started.id === 'default' ? '' : ` ${started.id}`}\n`)
  else terminal.note('Ctrl-C stops it\n')
}

function definedOnly<T extends object>(value: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as { [K in keyof T]?: Exclude<T[K], undefined> }
}
