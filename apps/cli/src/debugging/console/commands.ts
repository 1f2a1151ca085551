import { table } from '../../render/table.ts'
import { breakpointCommands } from './breakpoint-commands.ts'
import { badArgument, type DebugCommand, parseCommand } from './command.ts'
import { lookingCommands } from './looking-commands.ts'
import { runningCommands } from './running-commands.ts'

const INFO: Record<string, string> = {
  breakpoints: 'breakpoints',
  locals: 'locals',
  globals: 'globals',
  threads: 'threads',
  frame: 'frame',
  stack: 'backtrace',
  display: 'display',
  exceptions: 'exceptions',
}

const info: DebugCommand = {
  name: 'info',
  short: ['i'],
  group: 'Looking',
  usage: `info ${Object.keys(INFO).join('|')}`,
  describe: 'What is known of it, as gdb has it.',
  complete: Object.keys(INFO),
  async run(console, argument) {
    const [topic] = Object.entries(INFO).filter(([name]) => argument !== '' && name.startsWith(argument))
    if (!topic)
      throw badArgument(argument === '' ? 'info of what?' : `there is no info ${argument}`, `There are ${Object.keys(INFO).join(', ')}.`)
    await debugCommands.find(({ name }) => name === topic[1])?.run(console, '')
  },
}

const help: DebugCommand = {
  name: 'help',
  short: ['h', '?'],
  group: 'Other',
  usage: 'help [COMMAND]',
  describe: 'This list, or what one of them does.',
  complete: 'command',
  async run(console, argument) {
    if (argument !== '') {
      const { command } = parseCommand(debugCommands, argument)
      const short = command.short ? `\nshort: ${command.short.join(', ')}` : ''
      console.say(`${command.usage}\n${command.describe}${short}`)
      return
    }
    const groups = [...new Set(debugCommands.map(({ group }) => group))]
    const sections = groups.map((group) => {
      const rows = debugCommands.filter((command) => command.group === group)
      return `${group}\n${table(
        ['', '', ''],
        rows.map(({ usage, short = [], describe }) => [`  ${usage}`, short[0] ?? '', describe]),
      )
        .split('\n')
        .slice(1)
        .join('\n')}`
    })
    console.say(`${sections.join('\n')}\nAny beginning of a name will do; an empty line does the last step again. Ctrl-C stops the script.`)
  },
}

const quit: DebugCommand = {
  name: 'quit',
  short: ['q', 'exit'],
  group: 'Other',
  usage: 'quit',
  describe: 'Leave; a script started here ends, one that was attached to goes on.',
  run: async () => 'quit',
}

/** Every command of the terminal debugger. */
export const debugCommands: readonly DebugCommand[] = [...runningCommands, ...breakpointCommands, ...lookingCommands, info, help, quit]
