import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { kernelMain } from './entries.ts'

export type KernelLanguage = 'lua' | 'javascript' | 'typescript'

export const kernelLanguages: readonly KernelLanguage[] = ['lua', 'javascript', 'typescript']

/** Kernelspecs written by hand, for suites that are about the kernel and not about `llmspell kernelspec install`. */
export function writeKernelspecs(prefix: string): void {
  for (const language of kernelLanguages) {
    const dir = join(prefix, 'share', 'jupyter', 'kernels', `llmspell-${language}`)
    mkdirSync(dir, { recursive: true })
    const argv = [process.execPath, kernelMain(), '--connection-file', '{connection_file}', '--language', language]
    const spec = { argv, display_name: `${language} (llmspell)`, language, interrupt_mode: 'message' }
    writeFileSync(join(dir, 'kernel.json'), `${JSON.stringify(spec, null, 2)}\n`)
  }
}
