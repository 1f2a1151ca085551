import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { LlmspellError, nearest } from '@llmspell/base'
import { duration, megabytes } from '../render/quantities.ts'
import { table } from '../render/table.ts'
import type { Input } from '../session/input.ts'
import { LANGUAGE_NAMES, languageNamed, languageOfFile } from '../session/languages.ts'
import { readScriptFile } from '../session/script-file.ts'
import type { ReplSession } from './session.ts'

export type CommandResult = 'go-on' | 'quit'

interface ReplCommand {
  usage: string
  describe: string
  run(session: ReplSession, argument: string, input: Input | undefined): Promise<CommandResult | undefined>
}

/** `:name`, at the beginning of an input. Lua labels (`::name::`) are none. */
export function isCommand(text: string): boolean {
  return /^:[a-z]/.test(text)
}

export async function runCommand(session: ReplSession, text: string, input: Input | undefined): Promise<CommandResult> {
  const [, name = '', argument = ''] = /^:(\S+)\s*(.*)$/s.exec(text.trim()) ?? []
  const command = COMMANDS[name]
  if (!command) {
    const near = nearest(name, Object.keys(COMMANDS))
    throw new LlmspellError(`unknown command :${name}. ${near ? `Did you mean :${near}?` : ':help lists them.'}`, {
      code: 'usage.unknown_command',
    })
  }
  return (await command.run(session, argument.trim(), input)) ?? 'go-on'
}

export function completeCommand(text: string): string[] {
  return Object.keys(COMMANDS)
    .map((name) => `:${name}`)
    .filter((name) => name.startsWith(text))
}

const COMMANDS: Record<string, ReplCommand> = {
  help: {
    usage: ':help',
    describe: 'This list.',
    async run({ context: { terminal } }) {
      const rows = Object.values(COMMANDS).map(({ usage, describe }) => [usage, describe])
      terminal.out(`${table(['COMMAND', ''], rows)}\n${KEYS}\n`)
    },
  },
  lang: {
    usage: ':lang lua|js|ts',
    describe: 'The language of what follows; without a name, the present one.',
    async run(session, name) {
      const { terminal } = session.context
      if (name) {
        const language = languageNamed(name)
        if (!language) throw unknownLanguage(name)
        session.language = language
      }
      terminal.out(`${session.language}\n`)
    },
  },
  interrupt: {
    usage: ':interrupt',
    describe: 'Stop what runs in the shared namespace, also for another client.',
    async run({ kernel }) {
      await kernel.client.interrupt()
    },
  },
  restart: {
    usage: ':restart',
    describe: 'Fresh namespaces: all variables are gone, saved state stays.',
    async run({ kernel, context }) {
      await kernel.client.shutdown({ restart: true, inPlace: true, timeoutMs: 60_000 })
      context.terminal.out('fresh namespaces\n')
    },
  },
  save: {
    usage: ':save FILE',
    describe: 'Write what was entered in this session to a file.',
    async run({ context, entered }, file) {
      if (!file) throw needsFile('save')
      const path = resolve(context.cwd, file)
      writeFileSync(path, entered.map((code) => `${code}\n`).join(''))
      context.terminal.out(`wrote ${entered.length} ${entered.length === 1 ? 'input' : 'inputs'} to ${path}\n`)
    },
  },
  load: {
    usage: ':load FILE',
    describe: 'Run a file in the shared namespace.',
    async run(session, file, input) {
      if (!file) throw needsFile('load')
      const path = resolve(session.context.cwd, file)
      const code = readScriptFile(path)
      const before = session.language
      session.language = languageOfFile(path)
      try {
        await session.run(code, input, path)
      } finally {
        session.language = before
      }
    },
  },
  who: {
    usage: ':who',
    describe: 'The variables of the shared namespace.',
    async run(session) {
      const { terminal } = session.context
      const variables = await session.kernel.client.variables({ language: session.language })
      if (variables.length === 0) terminal.out('no variables\n')
      else
        terminal.out(
          table(
            ['NAME', 'TYPE', 'VALUE'],
            variables.map(({ name, type, preview }) => [name, type, oneLine(preview)]),
          ),
        )
    },
  },
  doc: {
    usage: ':doc NAME',
    describe: 'What is known of a name.',
    async run(session, name) {
      const { found, data } = await session.kernel.client.inspect(name, name.length, { language: session.language })
      session.context.terminal.out(found ? `${String(data['text/plain'] ?? data['text/markdown'])}\n` : `nothing is known of ${name}\n`)
    },
  },
  kernel: {
    usage: ':kernel',
    describe: 'The kernel and what it does.',
    async run({ kernel, context }) {
      const { record, execution_state, rss_bytes, clients, uptime } = await kernel.client.status()
      context.terminal.out(
        `kernel "${record.id}" ${record.version}, ${execution_state}, process ${record.pid}, ${megabytes(rss_bytes)}, ${clients} clients, up ${duration(uptime)}\n`,
      )
    },
  },
  quit: { usage: ':quit', describe: 'Leave; the kernel and its variables stay.', run: async () => 'quit' },
}

const KEYS =
  'Enter ends a complete input, Alt-Enter adds a line. Tab completes, Ctrl-R searches, Ctrl-C clears or interrupts, Ctrl-D leaves.'

function unknownLanguage(name: string): LlmspellError {
  const near = nearest(name, LANGUAGE_NAMES)
  return new LlmspellError(`unknown language "${name}". ${near ? `Did you mean "${near}"?` : 'It is lua, js or ts.'}`, {
    code: 'usage.bad_argument',
  })
}

function needsFile(command: string): LlmspellError {
  return new LlmspellError(`:${command} needs a file: :${command} FILE`, { code: 'usage.missing_argument' })
}

function oneLine(text: string): string {
  const line = text.replace(/\s+/g, ' ')
  return line.length > 60 ? `${line.slice(0, 59)}…` : line
}
