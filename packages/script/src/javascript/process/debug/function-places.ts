import {
  type AnyNode,
  type ArrowFunctionExpression,
  type Expression,
  type FunctionDeclaration,
  type FunctionExpression,
  type Program,
  parse,
} from 'acorn'
import type { Place } from '../../source/source-mapping.ts'
import { children } from '../../source/syntax-tree.ts'

/** Where the bodies of functions of this name start: `name`, `object.name`, `object:name`, `Class.name`. */
export function functionsNamed(code: string, wanted: string): Place[] {
  const name = wanted
    .trim()
    .replaceAll(':', '.')
    .replace(/^(?:globalThis|global)\./, '')
    .replace(/\(\s*\)$/, '')
  const last = name.slice(name.lastIndexOf('.') + 1)
  if (last === '' || !code.includes(last)) return []
  const program = parseLoosely(code)
  if (!program) return []
  const found: Place[] = []
  const visit = (node: AnyNode, owner: string): void => {
    let inner = owner
    for (const [full, value] of namedFunctions(node, owner)) {
      if (full !== name && !full.endsWith(`.${name}`)) continue
      const body = value.body.type === 'BlockStatement' ? value.body.start + 1 : value.body.start
      found.push(placeAt(code, body))
    }
    if ((node.type === 'ClassDeclaration' || node.type === 'ClassExpression') && node.id) inner = node.id.name
    else if (node.type === 'VariableDeclarator' && node.id.type === 'Identifier') inner = node.id.name
    else if (node.type === 'Property') inner = `${owner}.${keyOf(node.key)}`
    else if (/Function/.test(node.type)) inner = ''
    for (const child of children(node)) visit(child, inner)
  }
  visit(program, '')
  return found
}

type FunctionNode = ArrowFunctionExpression | FunctionDeclaration | FunctionExpression

function* namedFunctions(node: AnyNode, owner: string): Iterable<[string, FunctionNode]> {
  switch (node.type) {
    case 'FunctionDeclaration':
    case 'FunctionExpression':
      if (node.id) yield [node.id.name, node]
      return
    case 'VariableDeclarator':
      if (node.id.type === 'Identifier' && node.init && isFunction(node.init)) yield [node.id.name, node.init]
      return
    case 'AssignmentExpression':
      if (isFunction(node.right)) yield [pathOf(node.left), node.right]
      return
    case 'MethodDefinition':
    case 'PropertyDefinition':
    case 'Property':
      if (node.value && isFunction(node.value)) yield [`${owner}.${keyOf(node.key)}`, node.value]
      return
    default:
  }
}

function isFunction(node: AnyNode): node is ArrowFunctionExpression | FunctionExpression {
  return node.type === 'FunctionExpression' || node.type === 'ArrowFunctionExpression'
}

function keyOf(key: AnyNode): string {
  if (key.type === 'Identifier') return key.name
  if (key.type === 'PrivateIdentifier') return `#${key.name}`
  return key.type === 'Literal' ? String(key.value) : ''
}

/** `a.b.prototype.c` is `a.b.c`, and `this.c` is `c`. */
function pathOf(node: AnyNode): string {
  if (node.type === 'Identifier') return node.name
  if (node.type !== 'MemberExpression' || node.computed) return ''
  const object = pathOf(node.object as Expression)
  const key = keyOf(node.property)
  if (key === 'prototype') return object
  return object === '' ? key : `${object}.${key}`
}

export function parseLoosely(code: string): Program | undefined {
  for (const sourceType of ['script', 'module'] as const) {
    try {
      return parse(code, {
        ecmaVersion: 'latest',
        sourceType,
        allowAwaitOutsideFunction: true,
        allowReturnOutsideFunction: true,
        allowImportExportEverywhere: true,
        allowHashBang: true,
      })
    } catch {
      // The other kind, perhaps.
    }
  }
  return undefined
}

function placeAt(code: string, offset: number): Place {
  const before = code.slice(0, offset)
  return { line: before.split('\n').length, column: offset - (before.lastIndexOf('\n') + 1) + 1 }
}
