/**
 * The kernel process begins here. No static import at all: an old Node must get a sentence, not a crash inside something it
 * does not know.
 */

// Without a listener Node answers SIGUSR1 with an open debugger port.
process.on('SIGUSR1', () => {})

const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 19)) {
  process.stderr.write(`llmspell needs Node.js 22.19 or newer; this is ${process.version}\n`)
  process.exit(1)
}
const { bundled } = await import('@llmspell/base/bundled')
await import(bundled(import.meta.url, './boot.js'))

export {}
