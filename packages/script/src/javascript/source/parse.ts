import { parse as acornParse, type Program } from 'acorn'

/** A syntax error with its place: 1-based line, 0-based column, offset in UTF-16 units. */
export interface SyntaxProblem {
  message: string
  line: number
  column: number
  offset: number
  /** The code ended before the statement did. */
  atEnd: boolean
}

export type Parsed = { program: Program } | { problem: SyntaxProblem }

interface AcornError extends SyntaxError {
  pos: number
  loc: { line: number; column: number }
}

/** JavaScript of a cell: `await`, `import` and `export` are allowed at the top. */
export function parse(code: string): Parsed {
  try {
    return { program: parseAs(code, 'script') }
  } catch (error) {
    // `using` at the top is only in modules.
    if (/\busing\b/.test(code)) {
      try {
        return { program: parseAs(code, 'module') }
      } catch {
        // The first error says it better.
      }
    }
    return { problem: problemOf(error as AcornError, code) }
  }
}

function parseAs(code: string, sourceType: 'script' | 'module'): Program {
  return acornParse(code, {
    ecmaVersion: 'latest',
    sourceType,
    allowAwaitOutsideFunction: true,
    allowImportExportEverywhere: true,
    allowHashBang: true,
  })
}

function problemOf(error: AcornError, code: string): SyntaxProblem {
  const message = error.message.replace(/ \(\d+:\d+\)$/, '')
  return {
    message,
    line: error.loc.line,
    column: error.loc.column,
    offset: error.pos,
    atEnd: /^Unterminated (template|comment)/.test(message) || (error.pos >= code.trimEnd().length && !/^Unterminated/.test(message)),
  }
}
