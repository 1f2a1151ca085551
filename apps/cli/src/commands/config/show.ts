import { loadConfig, type Origin, showConfig } from '@llmspell/config'
import { type Context, flag } from '../../context.ts'
import { EXIT } from '../../exit-codes.ts'
import { table } from '../../render/table.ts'

export async function run(context: Context): Promise<number> {
  const { paths, terminal, env, cwd } = context
  const loaded = await loadConfig({ paths, env, cwd })
  const settings = await showConfig(loaded)
  for (const warning of loaded.warnings) terminal.note(`llmspell: ${warning}\n`)
  if (flag(context, 'json')) {
    const shown = settings.map(({ name, value, toml, origin, line }) => ({ name, value, text: toml, origin: { ...origin, line } }))
    terminal.out(`${JSON.stringify({ settings: shown })}\n`)
  } else {
    terminal.out(
      table(
        ['SETTING', 'VALUE', 'FROM'],
        settings.map(({ name, toml, origin, line }) => [name, toml, place(origin, line)]),
      ),
    )
  }
  return EXIT.ok
}

function place({ layer, source }: Origin, line: number | undefined): string {
  if (source === undefined) return layer
  return line === undefined ? source : `${source}:${line}`
}
