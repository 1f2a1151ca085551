import { type AnyNode, type Options, type Program, parse } from 'acorn'
import { DYNAMIC_IMPORT } from '../../source/rewrite.ts'
import { children } from '../../source/syntax-tree.ts'
import { stripTypes } from '../../source/typescript.ts'

/** What may stand in a frame of the script: everything that needs a surrounding is taken as given. */
const IN_A_FRAME: Options = {
  ecmaVersion: 'latest',
  sourceType: 'script',
  allowSuperOutsideMethod: true,
  allowReturnOutsideFunction: false,
  checkPrivateFields: false,
}

export type Checked = { code: string; program: Program; expression: AnyNode | undefined } | { problem: string }

/** Code that a debugger is to evaluate: JavaScript or TypeScript, an expression or statements. An object literal is one. */
export function checkCode(text: string): Checked {
  if (text.trim() === '') return { problem: 'SyntaxError: the expression is empty' }
  const wrapped = tryParse(`(${text}\n)`)
  if (wrapped) return wrapped
  const plain = tryParse(text)
  if (plain) return plain
  for (const candidate of [`(${text}\n)`, text]) {
    const stripped = stripTypes(candidate, 'expression')
    const parsed = 'code' in stripped ? tryParse(stripped.code) : undefined
    if (parsed) return parsed
  }
  return { problem: problemOf(text) }
}

/** Only an expression. */
export function checkExpression(text: string): { code: string } | { problem: string } {
  const checked = checkCode(text)
  if ('problem' in checked) return checked
  return checked.expression ? { code: checked.code } : { problem: 'SyntaxError: not an expression' }
}

function tryParse(code: string): Checked | undefined {
  let program: Program
  try {
    program = parse(code, IN_A_FRAME)
  } catch {
    return undefined
  }
  const [only, ...rest] = program.body
  const expression = only?.type === 'ExpressionStatement' && rest.length === 0 ? only.expression : undefined
  return { code: code.includes('import') ? withImports(code, program) : code, program, expression }
}

/** V8 has no `import()` in evaluated code; the engine's has the same length. */
function withImports(code: string, program: Program): string {
  let out = code
  const visit = (node: AnyNode): void => {
    if (node.type === 'ImportExpression') out = out.slice(0, node.start) + DYNAMIC_IMPORT + out.slice(node.start + DYNAMIC_IMPORT.length)
    for (const child of children(node)) visit(child)
  }
  visit(program)
  return out
}

function problemOf(text: string): string {
  try {
    parse(text, { ...IN_A_FRAME, allowAwaitOutsideFunction: true })
    return 'SyntaxError: `await` cannot be used here: a script that stands still settles no promise'
  } catch (error) {
    return `SyntaxError: ${(error as Error).message.replace(/ \(\d+:\d+\)$/, '')}`
  }
}
