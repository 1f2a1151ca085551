import { variableOf } from './load.ts'
import { SETTING_NAMES, SETTINGS, shown } from './settings.ts'

/** The reference page of all settings, as Markdown. */
export function settingsReference(): string {
  const rows = SETTING_NAMES.map((name) => {
    const { kind, default: value, doc } = SETTINGS[name]
    return `| \`${name}\` | \`${shown(name, value)}\` | ${kind.name} | ${doc.replaceAll('|', '\\|')} |`
  })
  return `# Configuration

A setting comes from the first of these that has it:

1. a flag of the command,
2. the environment: \`kernel.idle_timeout\` is \`${variableOf('kernel.idle_timeout')}\`,
3. \`llmspell.toml\` in the working directory or the nearest one above it that has one; it must be yours. A kernel that was started because none ran serves all projects and reads none,
4. \`config.toml\`, where \`llmspell config path\` says,
5. the default.

Text in a file may hold \`\${NAME}\` and \`\${NAME:-otherwise}\` from the environment; \`$\${\` stands for \`\${\`. A key that does not exist, a value that cannot be and a variable that is not set are errors that name file, line and column. \`llmspell config init\` writes a file with everything explained, \`llmspell config set NAME VALUE\` changes one setting and keeps your comments, \`llmspell config show\` tells every value and where it comes from.

| setting | default | kind | what it does |
| --- | --- | --- | --- |
${rows.join('\n')}
`
}
