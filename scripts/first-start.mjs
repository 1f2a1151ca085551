// `npm start` without arguments: two scripts in two languages, one kernel that remembers.
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const bin = join(root, 'apps/cli/bin/llmspell.js')
const dim = (text) => (process.stdout.isTTY ? `\u001b[2m${text}\u001b[22m` : text)

function llmspell(args, options = {}) {
  const result = spawnSync(process.execPath, [bin, ...args], { stdio: 'inherit', encoding: 'utf8', ...options })
  if (result.error) throw result.error
  if (result.status !== 0) process.exit(result.status ?? 1)
  return result.stdout
}

for (const file of ['first-spell.lua', 'first-spell.ts']) {
  console.log(dim(`$ llmspell run examples/${file}`))
  llmspell(['run', join(root, 'examples', file)])
}

const { record } = JSON.parse(llmspell(['kernel', 'status', '--json'], { stdio: ['ignore', 'pipe', 'inherit'] }))
const stay =
  record.idleTimeout > 0 ? `stops after ${Math.round(record.idleTimeout / 60_000)} minutes without work` : 'stays until you stop it'
console.log(dim(`\nKernel "${record.id}" (process ${record.pid}) goes on running and ${stay}.`))
console.log(`
Run it again: the count goes up, because state outlives scripts and kernels. Then try

  npm start -- exec 'return 6 * 7'               a line of Lua
  npm start -- exec --lang ts 'await State.list()'  what the scripts left behind
  npm start -- repl                              a prompt: Lua, JavaScript, TypeScript
  npm start -- run examples/first-spell.lua      any .lua, .js, .mjs or .ts file
  npm start -- kernelspec install --user         use it from Jupyter
  npm start -- kernel status                     what runs
  npm start -- kernel stop                       stop the kernel
`)
