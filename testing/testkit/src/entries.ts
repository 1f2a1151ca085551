import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The kernel process's script, to be started with `process.execPath`. */
export function kernelMain(): string {
  return fileURLToPath(import.meta.resolve('@llmspell/kernel-app/main'))
}

/** The script behind the `llmspell` command, as the package's `bin` names it. */
export function llmspellBin(): string {
  const manifest = fileURLToPath(import.meta.resolve('@llmspell/cli/package.json'))
  const { bin } = JSON.parse(readFileSync(manifest, 'utf8')) as { bin: { llmspell: string } }
  return join(dirname(manifest), bin.llmspell)
}
