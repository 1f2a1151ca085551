import { enableCompileCache, flushCompileCache } from 'node:module'
import { startGuard } from './start-guard.ts'

/*
 * Entry of the engine process. The guard comes up on the second core while this thread loads the rest; the compile cache must be on
 * before anything large is loaded, so that is imported afterwards. argv: directory of the compile cache, or ''.
 */
const FLUSH_CACHE_MS = 2000
const cache = process.argv[2] ?? ''
process.argv.length = 1
const guard = startGuard(cache)
if (cache !== '') enableCompileCache(cache)
const { boot } = await import('./boot.ts')
boot(guard)
// This process ends by a signal, when nothing would be written any more: the first engine on a machine does it for the others.
if (cache !== '') setTimeout(flushCompileCache, FLUSH_CACHE_MS).unref()
