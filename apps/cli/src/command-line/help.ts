import type { CommandSpec, OptionSpec, PositionalSpec } from './spec.ts'

/** Help of one command, for a terminal of this width. */
export function helpText(path: readonly CommandSpec[], width: number): string {
  const command = path.at(-1) as CommandSpec
  const root = path[0] as CommandSpec
  const sections = [
    command.summary,
    `Usage: ${usageLine(path)}`,
    command.details && wrap(command.details, width),
    command.commands && section('Commands', commandRows(command), width),
    command.positionals &&
      section(
        'Arguments',
        command.positionals.map((item) => [item.name, item.describe]),
        width,
      ),
    command.options && command !== root && section('Options', optionRows(command.options), width),
    section(command === root ? 'Options' : 'Everywhere', optionRows(root.options ?? {}), width),
    command.json && wrap(`With --json: ${command.json}`, width),
    command.examples && `Examples\n${command.examples.map((example) => `  ${example}`).join('\n')}`,
    command.commands && `\`${path.map((item) => item.name).join(' ')} COMMAND --help\` tells more of one.`,
  ]
  return `${sections.filter(Boolean).join('\n\n')}\n`
}

export function usageLine(path: readonly CommandSpec[]): string {
  const command = path.at(-1) as CommandSpec
  const words = path.map((item) => item.name)
  if (command.commands) words.push('COMMAND')
  if (command.options || command.commands) words.push('[options]')
  words.push(...(command.positionals ?? []).map(positionalUsage))
  return words.join(' ')
}

export function optionUsage(name: string, spec: OptionSpec): string {
  const value = spec.choices ? ` ${spec.choices.join('|')}` : spec.value ? ` ${spec.value}` : ''
  return `${spec.short ? `-${spec.short}, ` : ''}--${name}${value}`
}

function positionalUsage({ name, required, rest }: PositionalSpec): string {
  const text = rest ? `[-- ${name}]` : name
  return required || rest ? text : `[${text}]`
}

function commandRows(command: CommandSpec): [string, string][] {
  return (command.commands ?? []).map((item) => [
    item.commands ? `${item.name} ${item.commands.map((sub) => sub.name).join('|')}` : item.name,
    item.summary,
  ])
}

function optionRows(options: Readonly<Record<string, OptionSpec>>): [string, string][] {
  return Object.entries(options).map(([name, spec]) => [
    optionUsage(name, spec),
    spec.default === undefined ? spec.describe : `${spec.describe} Default: ${spec.default}.`,
  ])
}

const LEFT_MAX = 34

function section(title: string, rows: readonly (readonly [string, string])[], width: number): string {
  const left = Math.min(LEFT_MAX, Math.max(...rows.map(([text]) => text.length)))
  const lines = rows.map(([text, describe]) => {
    const body = wrap(describe, Math.max(30, width - left - 4)).replaceAll('\n', `\n${' '.repeat(left + 4)}`)
    return text.length > left ? `  ${text}\n${' '.repeat(left + 4)}${body}` : `  ${text.padEnd(left)}  ${body}`
  })
  return `${title}\n${lines.join('\n')}`
}

function wrap(text: string, width: number): string {
  return text
    .split('\n')
    .map((paragraph) => wrapParagraph(paragraph, width))
    .join('\n')
}

function wrapParagraph(paragraph: string, width: number): string {
  const lines: string[] = []
  let line = ''
  for (const word of paragraph.split(' ')) {
    if (line && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else line = line ? `${line} ${word}` : word
  }
  return [...lines, line].join('\n')
}
