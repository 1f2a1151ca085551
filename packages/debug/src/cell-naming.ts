import { murmur2 } from './murmur2.ts'

/**
 * How a notebook and its kernel agree on a path for a cell: prefix, hash of the whole text as sent, suffix. Clients compute it
 * themselves from `debugInfo` and keep it over restarts, so it must not hold a process id.
 */
export interface CellNaming {
  /** `/tmp/llmspell-cells-1000/` */
  readonly prefix: string
  /** `.lua`, `.js` or `.ts`, by the kernel's default language. */
  readonly suffix: string
  readonly seed: number
}

/** The path that debuggers know a cell by. */
export function cellSource({ prefix, suffix, seed }: CellNaming, code: string): string {
  return `${prefix}${murmur2(code, seed)}${suffix}`
}

export function isCellSource({ prefix, suffix }: CellNaming, source: string): boolean {
  return source.startsWith(prefix) && source.endsWith(suffix)
}
