import { tmpdir } from 'node:os'
import { join, sep } from 'node:path'
import type { CellNaming } from '@llmspell/debug/cells'
import type { Language } from '@llmspell/script'

const SUFFIX: Readonly<Record<Language, string>> = { lua: '.lua', javascript: '.js', typescript: '.ts' }

/** The same for all kernels of a user and for all time: JupyterLab keeps one rule for each kernelspec, also over restarts. */
export function cellNames(defaultLanguage: Language): CellNaming {
  return { prefix: cellDirectory() + sep, suffix: SUFFIX[defaultLanguage], seed: 0xc70f6907 }
}

/** Of files that front ends may read cells from. */
export function cellDirectory(): string {
  return join(tmpdir(), `llmspell-cells-${process.getuid?.() ?? 0}`)
}
