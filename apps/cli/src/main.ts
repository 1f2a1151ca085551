import { enableCompileCache } from 'node:module'
import { join } from 'node:path'
import { resolvePaths } from '@llmspell/config/paths'

/** The program: understands the command line, runs the command, ends the process with its exit code. */
export async function main(): Promise<void> {
  const paths = resolvePaths(process.env)
  enableCompileCache(join(paths.cacheDir, 'node'))
  // Everything else after this point comes from the cache.
  const { program } = await import('./program.ts')
  await program(paths)
}
