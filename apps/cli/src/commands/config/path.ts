import { type Context, flag } from '../../context.ts'
import { EXIT } from '../../exit-codes.ts'

export async function run(context: Context): Promise<number> {
  const { paths, terminal } = context
  const { configFile, stateDir, logsDir, runtimeDir, cacheDir } = paths
  const shown = { configFile, stateDir, logsDir, runtimeDir, cacheDir }
  if (flag(context, 'json')) terminal.out(`${JSON.stringify(shown)}\n`)
  else {
    const names = { configFile: 'configuration', stateDir: 'state', logsDir: 'logs', runtimeDir: 'sockets', cacheDir: 'cache' }
    for (const [key, path] of Object.entries(shown)) terminal.out(`${names[key as keyof typeof names].padEnd(15)}${path}\n`)
  }
  return EXIT.ok
}
