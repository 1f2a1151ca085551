import { enableCompileCache } from 'node:module'
import { startGuard } from './start-guard.ts'

/*
 * Entry of the engine process. The guard comes up on the second core while this thread loads the rest; the compile cache must be on
 * before anything large is loaded, so that is imported afterwards. argv: directory of the compile cache, or ''.
 */
const cache = process.argv[2] ?? ''
process.argv.length = 1
const guard = startGuard(cache)
if (cache !== '') enableCompileCache(cache)
const { boot } = await import('./boot.ts')
boot(guard)
