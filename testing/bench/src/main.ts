/**
 * Ratios against other kernels and plain interpreters, as Markdown tables. Every number compares things measured in the same
 * run, in turns; no wall-clock number is judged. `--help` tells the options.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { arch, cpus, platform, release } from 'node:os'
import { parseArgs } from 'node:util'
import { measureCommands } from './commands.ts'
import { measureDebugger } from './debugger.ts'
import { measureJavaScript } from './javascript.ts'
import { kernelTables, measureKernels } from './kernels.ts'
import { measureLua } from './lua.ts'

const usage = `node testing/bench/src/main.ts [options] [section...]

sections   kernels, commands, javascript, lua, debugger (default: all)
--quick    each row at least runs: small sizes, one round
--rounds N rounds of the sections kernels (default 3) and debugger (7)
--only A,B kernels to measure, by the names of the table
--peers    lets npm fetch the Deno kernel when there is none
--write F  puts the tables into F, each between its markers <!-- bench:SECTION --> and <!-- /bench:SECTION -->
--help`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    only: { type: 'string' },
    peers: { type: 'boolean', default: false },
    write: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(usage)
  process.exit(0)
}

const quick = values.quick
const rounds = Number(values.rounds ?? (quick ? 1 : 3))
const only = values.only?.split(',')
const sections: Record<string, { title: string; measure: () => Promise<string> }> = {
  kernels: {
    title: 'Kernels',
    measure: async () => kernelTables(await measureKernels({ quick, rounds, installPeers: values.peers, ...(only ? { only } : {}) })),
  },
  commands: { title: 'Command line', measure: () => measureCommands({ rounds: quick ? 2 : 15 }) },
  javascript: { title: 'JavaScript against plain Node', measure: () => measureJavaScript({ rounds: quick ? 1 : 5 }) },
  lua: { title: 'Lua against lua5.4', measure: () => measureLua({ rounds: quick ? 1 : 7 }) },
  debugger: {
    title: 'Debugger',
    measure: () =>
      measureDebugger({
        quick,
        ...(quick ? { rounds: 1, steps: 20, passes: 2_000 } : { rounds: Number(values.rounds ?? 7), steps: 300, passes: 100_000 }),
      }),
  },
}

const chosen = positionals.length > 0 ? positionals : Object.keys(sections)
const unknown = chosen.filter((name) => !(name in sections))
if (unknown.length > 0) {
  console.error(`no section ${unknown.join(', ')}\n\n${usage}`)
  process.exit(2)
}

console.log(`Node ${process.version}, ${platform()} ${release()} ${arch()}, ${cpus().length} × ${cpus()[0]?.model.trim()}\n`)
let failed = 0
for (const name of chosen) {
  const section = sections[name]
  if (!section) continue
  try {
    const text = await section.measure()
    console.log(`## ${section.title}\n\n${text}\n`)
    if (values.write) writeSection(values.write, name, text)
  } catch (error) {
    failed++
    console.error(`## ${section.title}\n\nnot measured: ${(error as Error).stack}\n`)
  }
}
process.exit(failed > 0 ? 1 : 0)

function writeSection(file: string, name: string, text: string): void {
  const [open, close] = [`<!-- bench:${name} -->`, `<!-- /bench:${name} -->`]
  const page = readFileSync(file, 'utf8')
  const [start, end] = [page.indexOf(open), page.indexOf(close)]
  if (start < 0 || end < start) throw new Error(`${file} has no markers ${open} and ${close}`)
  writeFileSync(file, `${page.slice(0, start + open.length)}\n\n${text}\n\n${page.slice(end)}`)
}
