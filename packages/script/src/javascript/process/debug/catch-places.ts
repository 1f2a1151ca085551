import type { AnyNode } from 'acorn'
import type { Place } from '../../source/source-mapping.ts'
import { children } from '../../source/syntax-tree.ts'
import { parseLoosely } from './function-places.ts'

/** What becomes of an error that leaves a place of a script. */
export type Fate =
  /** A `catch` of the same function takes it. */
  | 'caught'
  /** It rejects the promise of the async function there. */
  | 'rejects'
  /** It goes on to the caller. */
  | 'leaves'
  /** It rejects the promise of an async function that the place there calls without awaiting it at once. */
  | 'unknown'

/** Where a script catches, as its text says. */
export class CatchPlaces {
  readonly #program: AnyNode | undefined
  readonly #starts: number[]

  constructor(code: string) {
    this.#program = parseLoosely(code)
    this.#starts = [0]
    for (let at = code.indexOf('\n'); at >= 0; at = code.indexOf('\n', at + 1)) this.#starts.push(at + 1)
  }

  /** Of an error that is thrown, or comes out of a call, at this place. */
  fateAt(place: Place): Fate {
    const path = this.#pathTo(place)
    if (path.length === 0) return 'unknown'
    let fate: Fate = 'leaves'
    for (const [index, node] of path.entries()) {
      // Inner ones have the last word.
      if (/Function/.test(node.type) || node.type === 'StaticBlock' || node.type === 'PropertyDefinition')
        fate = (node as { async?: boolean }).async ? 'rejects' : 'leaves'
      else if (node.type === 'TryStatement' && node.handler && path[index + 1] === node.block) fate = 'caught'
    }
    return fate
  }

  /**
   * Whether a rejection never gets to the `await` there, because `.catch`, `.then` or `allSettled` is on its way. `index`: which of the
   * promises of `Promise.all` is rejected.
   */
  takesBefore(place: Place, index?: number): boolean {
    const awaited = this.#pathTo(place).findLast((node) => node.type === 'AwaitExpression')?.argument
    if (!awaited) return false
    if (awaited.type === 'Identifier') return this.#program !== undefined && keepsHandled(this.#program, awaited.name)
    const list = index !== undefined && awaited.type === 'CallExpression' ? awaited.arguments[0] : undefined
    const one = list?.type === 'ArrayExpression' ? list.elements[index as number] : undefined
    return handles(one ?? awaited)
  }

  isInFunction(place: Place): boolean {
    return this.#pathTo(place).some(({ type }) => /Function/.test(type))
  }

  /** Whether what a call at this place gives is awaited or returned at once, so that its rejection comes out here. */
  awaitsAt(place: Place): boolean {
    const path = this.#pathTo(place)
    for (let at = path.length - 1; at > 0; at--) {
      const node = path[at] as AnyNode
      if (node.type !== 'CallExpression' && node.type !== 'NewExpression') continue
      const parent = path[at - 1] as AnyNode
      return parent.type === 'AwaitExpression' || parent.type === 'ReturnStatement' || parent.type === 'ArrowFunctionExpression'
    }
    return false
  }

  /** The nodes around a place, outermost first. */
  #pathTo({ line, column }: Place): AnyNode[] {
    const offset = (this.#starts[line - 1] ?? 0) + column - 1
    const path: AnyNode[] = []
    for (let node = this.#program; node; node = innerAt(node, offset)) path.push(node)
    return path
  }
}

function innerAt(node: AnyNode, offset: number): AnyNode | undefined {
  for (const child of children(node)) if (child.start <= offset && offset < child.end) return child
  return undefined
}

/** Methods of promises whose result is not rejected with what their promises are. */
const HANDLERS = new Set(['catch', 'allSettled', 'any'])

/** A call of one of them in an expression, not in the functions that it makes. */
function handles(node: AnyNode): boolean {
  if (/Function/.test(node.type)) return false
  if (node.type === 'CallExpression' && node.callee.type === 'MemberExpression' && node.callee.property.type === 'Identifier') {
    const { name } = node.callee.property
    if (HANDLERS.has(name) || (name === 'then' && node.arguments.length > 1)) return true
  }
  for (const child of children(node)) if (handles(child)) return true
  return false
}

/** Whether a variable of this name is given a promise that is handled. */
function keepsHandled(node: AnyNode, name: string): boolean {
  if (node.type === 'VariableDeclarator' && node.id.type === 'Identifier' && node.id.name === name && node.init) return handles(node.init)
  for (const child of children(node)) if (keepsHandled(child, name)) return true
  return false
}
