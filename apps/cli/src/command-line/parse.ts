import { parseArgs } from 'node:util'
import { LlmspellError, nearest } from '@llmspell/base'
import type { CommandSpec, Invocation, OptionSpec, PositionalSpec } from './spec.ts'

/**
 * Understands a command line by the table of commands. Everything it cannot place is an error with code `usage.…` that names
 * the near word; nothing is passed over.
 */
export function parseCommandLine(root: CommandSpec, argv: readonly string[]): Invocation {
  const { path, rest } = findCommand(root, argv)
  const command = path.at(-1) as CommandSpec
  const specs: Record<string, OptionSpec> = { ...root.options, ...command.options }
  const { tokens } = parseArgs({
    args: rest,
    options: Object.fromEntries(Object.entries(specs).map(([name, spec]) => [name, parserOption(spec)])),
    strict: false,
    tokens: true,
  })
  const options: Record<string, string | boolean> = {}
  const positionals: string[] = []
  for (const token of tokens) {
    if (token.kind === 'positional') positionals.push(token.value)
    if (token.kind !== 'option') continue
    const spec = specs[token.name]
    if (!spec) throw unknownOption(token.rawName, Object.keys(specs), path)
    options[token.name] = optionValue(token.rawName, token.value, spec, path)
  }
  // Asking for help is never wrong, whatever else is missing.
  if (!options['help']) checkPositionals(command, positionals, path)
  return { path, command, options, positionals }
}

/** Walks down the words that name commands; what stands before and behind them stays for the option parser. */
function findCommand(root: CommandSpec, argv: readonly string[]): { path: CommandSpec[]; rest: string[] } {
  const path = [root]
  const rest: string[] = []
  let index = 0
  for (; index < argv.length; index++) {
    const current = path.at(-1) as CommandSpec
    if (!current.commands) break
    const word = argv[index] as string
    if (word === '--') break
    if (word.startsWith('-') && word !== '-') {
      rest.push(word)
      if (takesValue(root, word) && index + 1 < argv.length) rest.push(argv[++index] as string)
      continue
    }
    const found = current.commands.find((command) => command.name === word)
    if (!found) throw unknownCommand(word, current, path)
    path.push(found)
  }
  return { path, rest: [...rest, ...argv.slice(index)] }
}

function takesValue(root: CommandSpec, word: string): boolean {
  return word.startsWith('--') && root.options?.[word.slice(2)]?.value !== undefined
}

function parserOption(spec: OptionSpec): { type: 'string' | 'boolean'; short?: string } {
  return { type: spec.value === undefined ? 'boolean' : 'string', ...(spec.short === undefined ? {} : { short: spec.short }) }
}

function optionValue(rawName: string, value: string | undefined, spec: OptionSpec, path: readonly CommandSpec[]): string | boolean {
  if (spec.value === undefined) {
    if (value !== undefined) throw usageError(`${rawName} takes no value`, path, 'usage.bad_option')
    return true
  }
  if (value === undefined || value === '') throw usageError(`${rawName} needs a value: ${rawName} ${spec.value}`, path, 'usage.bad_option')
  if (spec.choices && !spec.choices.includes(value)) {
    const near = nearest(value, spec.choices)
    const choice = near === undefined ? `It is one of ${spec.choices.join(', ')}.` : `Did you mean "${near}"?`
    throw usageError(`${rawName} cannot be "${value}"`, path, 'usage.bad_option', choice)
  }
  const number = spec.number && NUMBERS[spec.number]
  if (number && !number.form.test(value)) throw usageError(`${rawName} needs ${number.name}, not "${value}"`, path, 'usage.bad_option')
  return value
}

const NUMBERS = {
  integer: { name: 'a whole number', form: /^\d{1,9}$/ },
  decimal: { name: 'a number', form: /^\d{1,9}(\.\d{1,9})?$/ },
}

function checkPositionals(command: CommandSpec, given: readonly string[], path: readonly CommandSpec[]): void {
  const specs: readonly PositionalSpec[] = command.positionals ?? []
  const missing = specs[given.length]
  if (missing?.required) throw usageError(`${nameOf(path)} needs ${missing.name}: ${missing.describe}`, path, 'usage.missing_argument')
  if (specs.at(-1)?.rest || given.length <= specs.length) return
  throw usageError(`${nameOf(path)} does not take "${given[specs.length]}"`, path, 'usage.unexpected_argument')
}

function unknownCommand(word: string, parent: CommandSpec, path: readonly CommandSpec[]): LlmspellError {
  const names = parent.commands?.map((command) => command.name) ?? []
  const near = nearest(word, names)
  if (path.length === 1 && /\.([cm]?[jt]s|lua)$/.test(word))
    return usageError(`unknown command "${word}"`, path, 'usage.unknown_command', `To run a file: ${nameOf(path)} run ${word}.`)
  return usageError(
    `unknown command "${[...path.slice(1).map((command) => command.name), word].join(' ')}"`,
    path,
    'usage.unknown_command',
    near ? `Did you mean "${near}"?` : `It is one of ${names.join(', ')}.`,
  )
}

function unknownOption(rawName: string, known: readonly string[], path: readonly CommandSpec[]): LlmspellError {
  const near = rawName.startsWith('--') ? nearest(rawName.slice(2), known) : undefined
  const last = path.at(-1)?.positionals?.at(-1)
  const meant = near ? `Did you mean --${near}?` : last && `For ${last.name}, what starts with "-" stands behind "--".`
  return usageError(`unknown option ${rawName}`, path, 'usage.unknown_option', meant)
}

function usageError(message: string, path: readonly CommandSpec[], code: string, suggestion?: string): LlmspellError {
  return new LlmspellError(message, {
    code,
    hint: [suggestion, `\`${nameOf(path)} --help\` shows what there is.`].filter(Boolean).join(' '),
  })
}

function nameOf(path: readonly CommandSpec[]): string {
  return path.map((command) => command.name).join(' ')
}
