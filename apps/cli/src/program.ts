import type { LlmspellPaths } from '@llmspell/config/paths'
import { parseCommandLine } from './command-line/parse.ts'
import type { Invocation } from './command-line/spec.ts'
import { commands } from './commands/index.ts'
import type { Context } from './context.ts'
import { EXIT } from './exit-codes.ts'
import { createTerminal, type Terminal } from './terminal.ts'
import { VERSION } from './version.ts'

export async function program(paths: LlmspellPaths): Promise<void> {
  const terminal = createTerminal(process, process.env)
  await end(await invoke(paths, terminal, process.argv.slice(2)))
}

async function invoke(paths: LlmspellPaths, terminal: Terminal, argv: readonly string[]): Promise<number> {
  let invocation: Invocation | undefined
  try {
    invocation = parseCommandLine(commands, argv)
    const context: Context = { invocation, terminal, env: process.env, cwd: process.cwd(), paths, version: VERSION }
    return await run(context)
  } catch (error) {
    const { reportError } = await import('./report-error.ts')
    return reportError(error, terminal, invocation?.options['json'] === true || (!invocation && argv.includes('--json')))
  } finally {
    terminal.progress(undefined)
  }
}

async function run(context: Context): Promise<number> {
  const { command, path, options } = context.invocation
  if (options['version'] === true) return (await import('./commands/version.ts')).run(context)
  if (options['help'] === true || !command.load) {
    const { helpText } = await import('./command-line/help.ts')
    const text = helpText(path, Math.min(context.terminal.stdout.columns || 100, 110))
    if (options['help'] === true) {
      context.terminal.out(text)
      return EXIT.ok
    }
    context.terminal.note(text)
    return EXIT.usage
  }
  const { run: work } = await command.load()
  return work(context)
}

/** What was written has left the process; then nothing (a socket, a pending prompt) may hold it any longer. */
async function end(code: number): Promise<void> {
  await Promise.all([process.stdout, process.stderr].map(drained))
  process.exit(code)
}

function drained(stream: NodeJS.WriteStream): Promise<void> {
  if (stream.writableLength === 0 || stream.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    stream.write('', () => resolve())
  })
}
