import { checkSettingName, loadConfig, shown } from '@llmspell/config'
import { type Context, flag } from '../../context.ts'
import { EXIT } from '../../exit-codes.ts'

export async function run(context: Context): Promise<number> {
  const { paths, terminal, env, cwd } = context
  const name = checkSettingName(context.invocation.positionals[0] ?? '')
  const { config, origins } = await loadConfig({ paths, env, cwd })
  const value = config[name]
  if (flag(context, 'json')) terminal.out(`${JSON.stringify({ name, value, text: shown(name, value), origin: origins.get(name) })}\n`)
  else terminal.out(`${shown(name, value).replace(/^"(.*)"$/, '$1')}\n`)
  return EXIT.ok
}
