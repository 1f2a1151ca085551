import type { AnyNode, Program } from 'acorn'
import type { Place } from '../../source/source-mapping.ts'
import { boundNames, children } from '../../source/syntax-tree.ts'
import { parseLoosely } from './function-places.ts'

/** Whether a name is declared as a constant in the scope that ends there. V8 itself would change it. */
export function isConstant(code: string, name: string, end: Place): boolean {
  const program = parseLoosely(code)
  if (!program) return false
  const lines = code.split('\n')
  let offset = end.column - 1
  for (let line = 0; line < end.line - 1; line++) offset += (lines[line]?.length ?? 0) + 1
  return declaredIn(program, program, name, offset)
}

function declaredIn(node: AnyNode, scope: AnyNode | Program, name: string, end: number): boolean {
  for (const child of children(node)) {
    const inner = opensScope(child) ? child : scope
    if (isDeclaration(child, name) && Math.abs(scope.end - end) <= 1) return true
    if (declaredIn(child, inner, name, end)) return true
  }
  return false
}

function opensScope({ type }: AnyNode): boolean {
  return /Function|^BlockStatement$|^For|^SwitchStatement$|^StaticBlock$/.test(type)
}

function isDeclaration(node: AnyNode, name: string): boolean {
  if (node.type === 'VariableDeclaration' && node.kind === 'const')
    return node.declarations.some((one) => boundNames(one.id).includes(name))
  if (node.type === 'ImportDeclaration') return node.specifiers.some((one) => one.local.name === name)
  return false
}
