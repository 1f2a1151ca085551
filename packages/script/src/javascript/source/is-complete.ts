import type { Completeness, Language } from '../../engine.ts'
import { parse, type SyntaxProblem } from './parse.ts'
import { stripTypes } from './typescript.ts'

/** Whether a REPL should run this or ask for another line. */
export function isComplete(code: string, language: Language): Completeness {
  const problem = problemIn(code, language)
  if (!problem) return { status: 'complete' }
  if (!problem.atEnd) return { status: 'invalid' }
  return { status: 'incomplete', indent: nextIndent(code) }
}

function problemIn(code: string, language: Language): SyntaxProblem | undefined {
  let script = code
  if (language === 'typescript') {
    const stripped = stripTypes(code, 'cell')
    if ('problem' in stripped) return stripped.problem
    script = stripped.code
  }
  const parsed = parse(script)
  return 'problem' in parsed ? parsed.problem : undefined
}

/** That of the last line, one level more behind an opening bracket. */
function nextIndent(code: string): string {
  const last = code.trimEnd().split('\n').at(-1) ?? ''
  const indent = /^\s*/.exec(last)?.[0] ?? ''
  return /[{([]\s*$|=>\s*$/.test(last) ? `${indent}  ` : indent
}
