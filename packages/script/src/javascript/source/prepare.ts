import { Script } from 'node:vm'
import type { Language, ScriptError } from '../../engine.ts'
import { Declarations } from './declarations.ts'
import { parse, type SyntaxProblem } from './parse.ts'
import { type Rewritten, rewrite } from './rewrite.ts'
import { stripTypes } from './typescript.ts'

export type Prepared = (Rewritten & Origin) | { error: ScriptError }

/** How the positions of what V8 evaluates differ from those of the cell. */
export interface Origin {
  /** Source map (JSON) when the code had to be transformed. */
  map?: string
  /** The code was put between parentheses: its first line has moved by one column. */
  wrapped?: boolean
  /** What was rewritten, when columns have moved. */
  script?: string
}

/** From the code of a cell to what V8 evaluates. */
export function prepare(code: string, language: Language, source: string, names: Declarations): Prepared {
  const expression = asExpression(code, language)
  let script = expression ?? code
  let map: string | undefined
  if (language === 'typescript') {
    const stripped = stripTypes(script, source)
    if ('problem' in stripped) return { error: syntaxError(stripped.problem, code, source) }
    script = stripped.code
    map = stripped.map
  }
  const parsed = parse(script)
  if ('problem' in parsed) return { error: syntaxError(parsed.problem, code, source, script) }
  const rewritten = rewrite(script, parsed.program, names)
  return {
    ...rewritten,
    ...(map !== undefined && { map }),
    ...(expression !== undefined && { wrapped: true }),
    ...(rewritten.edits && { script }),
  }
}

/** The syntax error of a whole file, if it has one. */
export function problemsIn(code: string, language: Language, file: string): ScriptError | undefined {
  const prepared = prepare(code, language, file, new Declarations())
  return 'error' in prepared ? prepared.error : undefined
}

/** `{a: 1}` alone is meant as an object, not as a block with a label. */
function asExpression(code: string, language: Language): string | undefined {
  if (!/^\s*\{/.test(code) || /;\s*$/.test(code)) return undefined
  const wrapped = `(${code.trimEnd()}\n)`
  if (language === 'typescript') return 'problem' in stripTypes(wrapped, '') ? undefined : wrapped
  return 'problem' in parse(wrapped) ? undefined : wrapped
}

export function syntaxError(problem: SyntaxProblem, code: string, source: string, script: string = code): ScriptError {
  const message = v8Message(script, problem) ?? problem.message
  const text = code.split('\n')[problem.line - 1] ?? ''
  return {
    ename: 'SyntaxError',
    evalue: message,
    traceback: [
      `${source}:${problem.line}:${problem.column + 1}`,
      text,
      `${text.slice(0, problem.column).replace(/[^\t]/g, ' ')}^`,
      `SyntaxError: ${message}`,
    ],
    position: { source, line: problem.line, column: problem.column + 1 },
  }
}

/** The message people know from Node, when V8 means the same line. */
function v8Message(code: string, problem: SyntaxProblem): string | undefined {
  if (/\b(import|export)\b/.test(code)) return undefined
  try {
    new Script(`async () => {${code}\n}`, { filename: 'cell' })
  } catch (error) {
    const line = /^cell:(\d+)/.exec((error as Error).stack ?? '')?.[1]
    if (Number(line) === problem.line) return (error as Error).message
  }
  return undefined
}
