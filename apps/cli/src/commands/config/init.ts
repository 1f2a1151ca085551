import { initConfig } from '@llmspell/config'
import { type Context, flag } from '../../context.ts'
import { EXIT } from '../../exit-codes.ts'

export async function run(context: Context): Promise<number> {
  const { paths, terminal } = context
  initConfig(paths.configFile, { force: flag(context, 'force') })
  terminal.out(flag(context, 'json') ? `${JSON.stringify({ file: paths.configFile })}\n` : `wrote ${paths.configFile}\n`)
  return EXIT.ok
}
