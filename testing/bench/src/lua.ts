import { fileURLToPath } from 'node:url'
import { run, toolPath } from '@llmspell/testkit'
import { number, table } from './markdown.ts'

const script = fileURLToPath(new URL('../../../packages/lua/bench/lua-cpu.mjs', import.meta.url))

interface Row {
  name: string
  /** The most that `ratio` should be. */
  limit: number
  nativeMs: number
  oursMs: number
  ratio: number
}

/** The Lua package's own bench, against `lua5.4`. */
export async function measureLua(options: { rounds: number }): Promise<string> {
  const native = toolPath('lua')
  if (!native) throw new Error('lua5.4 is not installed')
  const args = [script, '--json', '--lua', native, '--rounds', String(options.rounds)]
  const { stdout, stderr } = await run(process.execPath, args, { timeout: 900_000 })
  // its exit code only says whether every ratio is within its limit
  if (!stdout.trim().endsWith(']')) throw new Error(stderr)
  const rows = (JSON.parse(stdout) as Row[]).map(({ name, limit, nativeMs, oursMs, ratio }) => {
    return [name, number(nativeMs), number(oursMs), number(ratio), `≤ ${limit}`, ratio <= limit ? 'met' : 'falls short']
  })
  return table(['program', 'lua5.4, ms', 'llmspell, ms', 'ratio', 'aim', ''], rows)
}
