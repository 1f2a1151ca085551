import { enableCompileCache } from 'node:module'
import { resolvePaths } from '@llmspell/config/paths'

const paths = resolvePaths(process.env)
// Before the rest is compiled, and in the user's own directory: Node's default is one in /tmp.
enableCompileCache(paths.cacheDir)
const { runKernelProcess } = await import('./kernel-process.ts')
await runKernelProcess(process.argv.slice(2), paths)
