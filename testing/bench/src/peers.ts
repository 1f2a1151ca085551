import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { toolPath } from '@llmspell/testkit'

const DENO = '2.9.6'
const folder = fileURLToPath(new URL(`../../../.tools/deno-${DENO}/`, import.meta.url))

export function hasIpykernel(): boolean {
  return toolPath('ipykernel') !== undefined
}

/** Deno's binary: `LLMSPELL_BENCH_DENO`, or the one that npm brought here. With `install` npm brings it. */
export function denoBinary(install: boolean): string | undefined {
  if (process.env.LLMSPELL_BENCH_DENO) return process.env.LLMSPELL_BENCH_DENO
  const find = (): string | undefined => {
    const scope = join(folder, 'node_modules', '@deno')
    return (existsSync(scope) ? readdirSync(scope) : []).map((name) => join(scope, name, 'deno')).find(existsSync)
  }
  if (!find() && install) {
    mkdirSync(folder, { recursive: true })
    // the binary is in the platform's own package: no install script is needed
    spawnSync('npm', ['install', '--prefix', folder, '--no-save', '--ignore-scripts', '--no-audit', '--no-fund', `deno@${DENO}`], {
      stdio: 'ignore',
    })
  }
  return find()
}
