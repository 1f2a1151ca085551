import type { CommandSpec, OptionSpec } from './spec.ts'

export type Shell = 'bash' | 'zsh' | 'fish'

/** What can follow a command: its subcommands, its options, and words for its arguments. */
interface Node {
  path: string[]
  command: CommandSpec
  options: Readonly<Record<string, OptionSpec>>
}

/** A script for the shell's own completion, made from the table of commands; nothing of llmspell runs while completing. */
export function completionScript(root: CommandSpec, shell: Shell, settings: readonly string[]): string {
  const nodes = [...walk(root, [], root)]
  switch (shell) {
    case 'bash':
      return bash(root.name, nodes, settings)
    case 'zsh':
      return `autoload -U +X bashcompinit && bashcompinit\n${bash(root.name, nodes, settings)}`
    case 'fish':
      return fish(root.name, nodes, settings)
  }
}

function* walk(command: CommandSpec, path: string[], root: CommandSpec): Generator<Node> {
  yield { path, command, options: { ...root.options, ...command.options } }
  for (const sub of command.commands ?? []) yield* walk(sub, [...path, sub.name], root)
}

/**
 * The words before the cursor that name commands make the path; options and their values do not count. Options with values
 * complete those, everything else falls back to file names.
 */
function bash(name: string, nodes: readonly Node[], settings: readonly string[]): string {
  const cases = nodes.map(({ path, command, options }) => {
    const words = [...(command.commands ?? []).map((sub) => sub.name), ...Object.keys(options).map((option) => `--${option}`)]
    if (command.positionals?.some((item) => item.complete === 'setting')) words.push(...settings)
    return `    ${quote(path.join(' '))}) words=${quote(words.join(' '))} ;;`
  })
  const choices = new Map(
    nodes.flatMap(({ options }) =>
      Object.entries(options).flatMap(([option, spec]) => (spec.choices ? [[option, spec.choices] as const] : [])),
    ),
  )
  const values = [...choices].map(
    ([option, words]) => `    --${option}) COMPREPLY=($(compgen -W ${quote(words.join(' '))} -- "$current")); return ;;`,
  )
  const parents = nodes.filter(({ command }) => command.commands).map(({ path }) => quote(path.join(' ')))
  return `_${name}() {
  local current="\${COMP_WORDS[COMP_CWORD]}" previous="\${COMP_WORDS[COMP_CWORD-1]}" path="" words="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$path" in ${parents.join('|')}) ;; *) break ;; esac
    case "$word" in -*) ;; *) path="\${path:+$path }$word" ;; esac
  done
  case "$previous" in
${values.join('\n')}
  esac
  case "$path" in
${cases.join('\n')}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
}
complete -o default -F _${name} ${name}
`
}

function fish(name: string, nodes: readonly Node[], settings: readonly string[]): string {
  const lines = nodes.flatMap(({ path, command, options }) => {
    const condition = `-n ${quote(fishCondition(path, nodes))}`
    return [
      ...(command.commands ?? []).map((sub) => `complete -c ${name} -f ${condition} -a ${sub.name} -d ${quote(sub.summary)}`),
      ...Object.entries(options).map(([option, spec]) => {
        const value = spec.choices ? ` -xa ${quote(spec.choices.join(' '))}` : spec.value ? ' -r' : ''
        return `complete -c ${name} ${condition} -l ${option}${spec.short ? ` -s ${spec.short}` : ''}${value} -d ${quote(spec.describe)}`
      }),
      ...(command.positionals?.some((item) => item.complete === 'setting')
        ? [`complete -c ${name} -f ${condition} -a ${quote(settings.join(' '))}`]
        : []),
    ]
  })
  return `${lines.join('\n')}\n`
}

function fishCondition(path: readonly string[], nodes: readonly Node[]): string {
  const seen = path.map((word) => `__fish_seen_subcommand_from ${word}`)
  const below = nodes.filter((node) => node.path.length === path.length + 1 && node.path.slice(0, -1).join(' ') === path.join(' '))
  const none = below.length > 0 ? [`not __fish_seen_subcommand_from ${below.map((node) => node.path.at(-1)).join(' ')}`] : []
  return [...seen, ...none].join('; and ') || 'true'
}

function quote(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`
}
