import { enableCompileCache } from 'node:module'
import { resolvePaths } from '@llmspell/config/paths'
import { startEarly } from '@llmspell/runtime/early'

const paths = resolvePaths(process.env)
/** Of whoever started this process: files of scripts get it again. */
const umask = process.umask(0o077)
// Before the rest is compiled, and in the user's own directory: Node's default is one in /tmp.
enableCompileCache(paths.cacheDir)
const words = process.argv.slice(2)
startEarly(words[words.lastIndexOf('--language') + 1])
const { runKernelProcess } = await import('./kernel-process.ts')
await runKernelProcess(words, paths, umask)
