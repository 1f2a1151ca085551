import { enableCompileCache } from 'node:module'

/*
 * Entry of the engine process. The compile cache must be on before anything else is loaded, so the rest is imported after it.
 * argv: directory of the compile cache, or ''.
 */
const cache = process.argv[2]
if (cache) enableCompileCache(cache)
process.argv.length = 1
const { boot } = await import('./boot.ts')
boot(cache ?? '')
