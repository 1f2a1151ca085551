import type { AnyNode, AssignmentExpression, Program, UpdateExpression } from 'acorn'
import { boundNames, children } from './syntax-tree.ts'

/** Assignments in a cell to names that are constants at its top, where no inner declaration hides them. */
export function constantAssignments(program: Program, constants: ReadonlySet<string>): (AssignmentExpression | UpdateExpression)[] {
  const found: (AssignmentExpression | UpdateExpression)[] = []
  const visit = (node: AnyNode, hidden: readonly ReadonlySet<string>[]): void => {
    const target = node.type === 'AssignmentExpression' ? node.left : node.type === 'UpdateExpression' ? node.argument : undefined
    if (target?.type === 'Identifier' && constants.has(target.name) && !hidden.some((names) => names.has(target.name))) {
      found.push(node as AssignmentExpression | UpdateExpression)
    }
    const own = node.type === 'Program' ? undefined : declaredIn(node)
    const inner = own && own.size > 0 ? [...hidden, own] : hidden
    for (const child of children(node)) visit(child, inner)
  }
  visit(program, [])
  return found
}

/** The names that a node declares for what is inside it. */
function declaredIn(node: AnyNode): Set<string> | undefined {
  switch (node.type) {
    case 'FunctionDeclaration':
    case 'FunctionExpression':
    case 'ArrowFunctionExpression': {
      const names = new Set(node.params.flatMap((parameter) => boundNames(parameter)))
      if (node.type === 'FunctionExpression' && node.id) names.add(node.id.name)
      hoisted(node.body, names)
      return names
    }
    case 'ClassExpression':
    case 'ClassDeclaration':
      return node.id ? new Set([node.id.name]) : undefined
    case 'BlockStatement':
    case 'StaticBlock':
      return lexical(node.body)
    case 'SwitchStatement':
      return lexical(node.cases.flatMap((one) => one.consequent))
    case 'CatchClause':
      return node.param ? new Set(boundNames(node.param)) : undefined
    case 'ForStatement':
      return node.init ? lexical([node.init]) : undefined
    case 'ForInStatement':
    case 'ForOfStatement':
      return lexical([node.left])
    default:
      return undefined
  }
}

function lexical(nodes: readonly AnyNode[]): Set<string> {
  const names = new Set<string>()
  for (const node of nodes) {
    if (node.type === 'VariableDeclaration' && node.kind !== 'var') {
      for (const declarator of node.declarations) for (const name of boundNames(declarator.id)) names.add(name)
    } else if ((node.type === 'ClassDeclaration' || node.type === 'FunctionDeclaration') && node.id) names.add(node.id.name)
  }
  return names
}

/** `var` anywhere in a function, without the functions in it. */
function hoisted(node: AnyNode, names: Set<string>): void {
  if (node.type === 'VariableDeclaration' && node.kind === 'var') {
    for (const declarator of node.declarations) for (const name of boundNames(declarator.id)) names.add(name)
  }
  for (const child of children(node)) if (!/Function/.test(child.type)) hoisted(child, names)
}
