import { createRequire } from 'node:module'
import type { transformSync as TransformSync } from 'amaro'
import type { SyntaxProblem } from './parse.ts'

export type Stripped = { code: string; map?: string } | { problem: SyntaxProblem }

interface AmaroError {
  code?: string
  message?: string
  startLine?: number
  startColumn?: number
}

let transform: typeof TransformSync | undefined

/** Loads the compiler (about 35 ms), ahead of the first use. */
export function loadTypeScript(): typeof TransformSync {
  transform ??= (createRequire(import.meta.url)('amaro') as { transformSync: typeof TransformSync }).transformSync
  return transform
}

/**
 * TypeScript to JavaScript. Types are blanked out, so positions stay; code with enums, namespaces or parameter
 * properties is transformed and comes with a source map.
 */
export function stripTypes(code: string, source: string): Stripped {
  const run = loadTypeScript()
  try {
    return { code: run(code, { mode: 'strip-only' }).code }
  } catch (error) {
    if ((error as AmaroError).code !== 'UnsupportedSyntax') return { problem: problemOf(error as AmaroError, code) }
  }
  try {
    const { code: transformed, map } = run(code, { mode: 'transform', sourceMap: true, filename: source })
    return { code: transformed, ...(map !== undefined && { map }) }
  } catch (error) {
    return { problem: problemOf(error as AmaroError, code) }
  }
}

function problemOf(error: AmaroError, code: string): SyntaxProblem {
  const line = error.startLine ?? 1
  const column = error.startColumn ?? 0
  const lines = code.split('\n')
  // Columns count UTF-8 bytes.
  const text = lines[line - 1] ?? ''
  const units = Buffer.from(text).subarray(0, column).toString().length
  const offset = lines.slice(0, line - 1).reduce((sum, one) => sum + one.length + 1, 0) + units
  const message = error.message ?? String(error)
  return {
    message,
    line,
    column: units,
    offset,
    atEnd: /^Unexpected (eof|token `<eof>`)|^Unterminated (template|block comment)/i.test(message) || offset >= code.trimEnd().length,
  }
}
