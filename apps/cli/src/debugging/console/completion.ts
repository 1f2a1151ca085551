import { readdirSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { type DebugCommand, parseCommand } from './command.ts'
import { debugCommands } from './commands.ts'
import type { DebugConsole } from './console.ts'

export interface Matches {
  matches: string[]
  start: number
  end: number
}

/** What could stand before the cursor: a command, then what that command takes. */
export async function complete(console: DebugConsole, text: string, cursor: number): Promise<Matches> {
  const before = text.slice(0, cursor)
  const [, head = '', argument] = /^(\s*\S*)(?:\s+(.*))?$/s.exec(before) ?? []
  if (argument === undefined) return among(commandNames(), head.trimStart(), cursor)
  const command = commandOf(head)
  const word = /\S*$/.exec(argument)?.[0] ?? ''
  switch (command?.complete) {
    case undefined:
      return { matches: [], start: cursor, end: cursor }
    case 'expression':
      return expressions(console, argument, cursor)
    case 'command':
      return among(commandNames(), word, cursor)
    case 'file':
      return among(files(console.context.cwd, word), word, cursor)
    default:
      return among(command?.complete ?? [], word, cursor)
  }
}

function commandOf(word: string): DebugCommand | undefined {
  try {
    return parseCommand(debugCommands, word).command
  } catch {
    return undefined
  }
}

function commandNames(): string[] {
  return debugCommands.map(({ name }) => name)
}

function among(words: readonly string[], begun: string, cursor: number): Matches {
  return { matches: words.filter((word) => word.startsWith(begun)), start: cursor - begun.length, end: cursor }
}

function files(cwd: string, begun: string): string[] {
  const folder = begun.endsWith('/') ? begun : dirname(begun)
  try {
    return readdirSync(resolve(cwd, folder), { withFileTypes: true }).map((entry) => {
      const path = begun.includes('/') ? join(folder, entry.name) : entry.name
      return entry.isDirectory() ? `${path}/` : path
    })
  } catch {
    return []
  }
}

/** As the script's engine completes it, with the variables of the frame. */
async function expressions({ debuggee }: DebugConsole, text: string, cursor: number): Promise<Matches> {
  const nothing = { matches: [], start: cursor, end: cursor }
  if (!debuggee.capabilities.supportsCompletionsRequest || debuggee.state.type !== 'stopped') return nothing
  try {
    const { targets } = await debuggee.client.request('completions', { text, column: text.length + 1, frameId: debuggee.frame.id })
    const [first] = targets
    if (!first) return nothing
    // Counted from 1, as this client said of itself.
    const offset = cursor - text.length
    const start = first.start === undefined ? cursor : offset + first.start - 1
    return { matches: targets.map((target) => target.text ?? target.label), start, end: start + (first.length ?? cursor - start) }
  } catch {
    return nothing
  }
}
