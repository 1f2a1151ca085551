import { checkSettingName, loadConfig, setConfigValue, shown, unsetConfigValue } from '@llmspell/config'
import { type Context, flag } from '../../context.ts'
import { EXIT } from '../../exit-codes.ts'

export async function run(context: Context): Promise<number> {
  const { paths, terminal, env, cwd } = context
  const [setting = '', value] = context.invocation.positionals
  const name = checkSettingName(setting)
  const file = paths.configFile
  if (value === undefined) await unsetConfigValue(file, name)
  else await setConfigValue(file, name, value)
  const { config, origins } = await loadConfig({ paths, env, cwd })
  if (flag(context, 'json')) terminal.out(`${JSON.stringify({ name, value: config[name], file })}\n`)
  else terminal.out(`${name} is ${shown(name, config[name])}\n`)
  const origin = origins.get(name)
  if (origin?.source !== undefined && origin.source !== file) terminal.note(`llmspell: ${origin.source} overrides ${file}\n`)
  else terminal.note('A kernel that runs keeps what it was started with.\n')
  return EXIT.ok
}
