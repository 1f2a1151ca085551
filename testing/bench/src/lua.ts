import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { run } from '@llmspell/testkit'

const script = fileURLToPath(new URL('../../../packages/lua/bench/main.mjs', import.meta.url))

/** The Lua package's own bench, which compares with `lua5.4`. */
export async function measureLua(options: { quick: boolean }): Promise<string> {
  if (!existsSync(script)) throw new Error(`${script} is not there`)
  const { code, stdout, stderr } = await run(process.execPath, [script, ...(options.quick ? ['--quick'] : [])], { timeout: 600_000 })
  if (code !== 0) throw new Error(`${script} ended with ${code}: ${stderr}`)
  return stdout.trim()
}
