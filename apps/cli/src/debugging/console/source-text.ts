import { readFileSync } from 'node:fs'
import { relative } from 'node:path'
import type { Dap } from '@llmspell/dap'
import type { Debuggee } from './debuggee.ts'

/** The text of a frame's source: of the file, or, where that is none, as the debug session knows it. */
export async function sourceText(debuggee: Debuggee, source: Dap.Source | undefined): Promise<string | undefined> {
  if (!source) return undefined
  if (!source.sourceReference && source.path !== undefined) {
    const text = readText(source.path)
    if (text !== undefined) return text
  }
  try {
    return (await debuggee.client.request('source', { source, sourceReference: source.sourceReference ?? 0 })).content
  } catch {
    return undefined
  }
}

export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

/** As short as it can be told from where we are. */
export function shortPath(path: string, cwd: string): string {
  const short = relative(cwd, path)
  return short.startsWith('..') || short === '' ? path : short
}
