import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { LlmspellError, messageOf } from '@llmspell/base'
import { SETTINGS } from '@llmspell/config'
import { runKernel, type SpawnedKernel, type SpawnOptions, spawnKernel, startAlone } from '@llmspell/manager/start'
import { type Context, flag, option } from '../../context.ts'
import { EXIT } from '../../exit-codes.ts'
import { kernelId } from '../../session/kernel-argument.ts'
import { kernelEntry } from '../../session/kernel-entry.ts'
import { languageOption } from '../../session/languages.ts'
import { traceTopics } from '../../session/trace.ts'

export async function run(context: Context): Promise<number> {
  const { paths, terminal } = context
  const id = kernelId(context)
  const options = spawnOptions(context, id)
  terminal.progress('starting a kernel…')
  if (flag(context, 'daemon')) {
    tell(context, await startAlone(paths, id, () => spawnKernel({ ...options, startedBy: 'daemon' })))
    return EXIT.ok
  }
  const { kernel, started } = await startAlone(paths, id, async () => {
    const kernel = runKernel({ ...options, startedBy: 'foreground' })
    for (const [signal, passedOn] of PASSED_ON) process.on(signal, () => kernel.signal(passedOn))
    return { kernel, started: await kernel.ready }
  })
  tell(context, started)
  return kernel.exited
}

/** To a kernel, SIGHUP means to read its configuration again; that of a terminal which closes means to end. */
const PASSED_ON = [
  ['SIGINT', 'SIGINT'],
  ['SIGTERM', 'SIGTERM'],
  ['SIGHUP', 'SIGTERM'],
] as const

function spawnOptions(context: Context, id: string): Omit<SpawnOptions, 'startedBy'> {
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
  if (port === 0 || (port >= 1_024 && port <= 65_531)) return port
  throw new LlmspellError(`--port cannot be ${text}`, {
    code: 'usage.bad_option',
    hint: 'A kernel takes five ports, N to N+4, from 1024 to 65535; 0 lets the system choose.',
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

function tell(context: Context, started: SpawnedKernel): void {
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
