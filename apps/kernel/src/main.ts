/**
 * The kernel process begins here. No static import but Node's own: an old Node must get a sentence, not a crash inside a native
 * addon, and the compile cache must be on before anything is compiled.
 */
import module from 'node:module'

// Without a listener Node answers SIGUSR1 with an open debugger port.
process.on('SIGUSR1', () => {})

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 19)) {
  process.stderr.write(`llmspell needs Node.js 22.19 or newer; this is ${process.version}\n`)
  process.exit(1)
}
process.umask(0o077)
const { resolvePaths } = await import('@llmspell/config/paths')
const paths = resolvePaths(process.env)
module.enableCompileCache(paths.cacheDir)
const { runKernelProcess } = await import('./kernel-process.ts')
await runKernelProcess(process.argv.slice(2), paths)
