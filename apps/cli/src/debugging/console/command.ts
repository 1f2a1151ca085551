import { LlmspellError, nearest } from '@llmspell/base'
import type { DebugConsole } from './console.ts'

export type CommandResult = 'quit' | undefined

export interface DebugCommand {
  readonly name: string
  /** Besides every beginning of the name that no other command has. */
  readonly short?: readonly string[]
  readonly group: 'Running' | 'Breakpoints' | 'Looking' | 'Other'
  readonly usage: string
  readonly describe: string
  /** An empty line does it again. */
  readonly repeats?: true
  /** Words to complete the argument with; `expression`: as the script's language has it. */
  readonly complete?: readonly string[] | 'expression' | 'command' | 'file'
  // biome-ignore lint/suspicious/noConfusingVoidType: most commands have no result.
  run(console: DebugConsole, argument: string): Promise<CommandResult | void>
}

export interface ParsedCommand {
  command: DebugCommand
  argument: string
}

/** Code `usage.unknown_command` names the near one, `usage.ambiguous_command` all that fit. */
export function parseCommand(commands: readonly DebugCommand[], line: string): ParsedCommand {
  const [, word = '', argument = ''] = /^(\S*?)(?=[/\s]|$)\s*([\s\S]*)$/.exec(line.trim()) ?? []
  const name = word.toLowerCase()
  const exact = commands.find((command) => command.name === name || command.short?.includes(name))
  if (exact) return { command: exact, argument }
  const begun = name === '' ? [] : commands.filter((command) => command.name.startsWith(name))
  if (begun.length === 1) return { command: begun[0] as DebugCommand, argument }
  if (begun.length > 1)
    throw new LlmspellError(`"${word}" is the beginning of ${begun.map((command) => command.name).join(', ')}`, {
      code: 'usage.ambiguous_command',
    })
  const near = nearest(
    name,
    commands.map((command) => command.name),
  )
  throw new LlmspellError(`unknown command "${word}". ${near ? `Did you mean "${near}"?` : '`help` lists them; `print EXPR` evaluates.'}`, {
    code: 'usage.unknown_command',
  })
}

export function badArgument(message: string, hint?: string): LlmspellError {
  return new LlmspellError(message, { code: 'usage.bad_argument', ...(hint !== undefined && { hint }) })
}

/** Code `debug.not_supported` for what the session's capabilities leave out. */
export function notSupported(message: string, hint?: string): LlmspellError {
  return new LlmspellError(message, { code: 'debug.not_supported', ...(hint !== undefined && { hint }) })
}
