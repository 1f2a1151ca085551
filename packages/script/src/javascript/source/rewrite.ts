import type {
  AnyNode,
  ClassDeclaration,
  ExportDefaultDeclaration,
  ExportNamedDeclaration,
  FunctionDeclaration,
  ImportDeclaration,
  Program,
  VariableDeclaration,
} from 'acorn'
import { constantAssignments } from './constant-assignments.ts'
import type { Declarations } from './declarations.ts'
import { boundNames, children } from './syntax-tree.ts'

/** `import(` in cells; as long as `import`, so that no column moves. */
export const DYNAMIC_IMPORT = '$imprt'
/** `import.meta` in cells; as long as that. */
export const IMPORT_META = '$importMeta'

/** Throws what an assignment to a constant throws. */
export const CONSTANT = '$const'

/** Where a debugger finds its part in the script thread. */
export const DEBUG_HOOK = '$llmspell$debug'

export interface Rewritten {
  code: string
  /** To be evaluated before: declarations that the code assigns to. */
  preamble?: string
  /** The code ends in a declaration that became an expression: its value is none. */
  noValue?: boolean
  /** It has an `await` or a `let` at its top: only V8's REPL mode can evaluate it. The rest is a plain script, which is much faster. */
  repl?: boolean
  /** Where columns have moved. */
  edits?: readonly AppliedEdit[]
}

/** What stood from `start` to `end` has become so many UTF-16 units. In order, not overlapping. */
export interface AppliedEdit {
  start: number
  end: number
  length: number
}

/**
 * Makes a cell evaluable in V8's REPL mode, in place: lines never move, columns only behind a rewritten declaration on its line.
 * Static imports become dynamic ones, exports are dropped, `const` becomes `let` (a cell can be run twice), and declarations over
 * names of the other group become assignments. `names` learns what the cell declares.
 */
export function rewrite(code: string, program: Program, names: Declarations): Rewritten {
  const writer = new Rewriter(code, names)
  for (const statement of program.body) writer.topLevel(statement)
  if (code.includes('import')) writer.dynamicImports(program)
  if (names.constant.size > 0) writer.constants(program)
  return writer.result()
}

interface Edit {
  start: number
  end: number
  text: string
}

class Rewriter {
  readonly #code: string
  readonly #names: Declarations
  readonly #edits: Edit[] = []
  readonly #preamble: string[] = []
  /** Functions over a `let` of an earlier cell. */
  readonly #hoisted: FunctionDeclaration[] = []
  /** Whether the statement looked at last has no value any more. */
  #noValue = false
  #lexical = false

  constructor(code: string, names: Declarations) {
    this.#code = code
    this.#names = names
  }

  result(): Rewritten {
    for (const node of this.#hoisted) this.#hoist(node)
    const edits: AppliedEdit[] = []
    const code = this.#apply(0, this.#code.length, edits)
    const repl = this.#lexical || this.#preamble.length > 0 || /\bawait\b/.test(code)
    return {
      code,
      ...(this.#preamble.length > 0 && { preamble: this.#preamble.join('\n') }),
      ...(this.#noValue && { noValue: true }),
      ...(repl && { repl }),
      ...(edits.length > 0 && { edits }),
    }
  }

  topLevel(node: AnyNode): void {
    this.#noValue = false
    switch (node.type) {
      case 'ImportDeclaration':
        return this.#import(node)
      case 'ExportNamedDeclaration':
        return this.#exportNamed(node)
      case 'ExportDefaultDeclaration':
        return this.#exportDefault(node)
      case 'ExportAllDeclaration':
        this.#noValue = true
        return this.#edit(node.start, node.end, `await ${DYNAMIC_IMPORT}(${this.#text(node.source)});`, true)
      case 'VariableDeclaration':
        return this.#variables(node, 'statement')
      case 'ClassDeclaration':
        return this.#class(node)
      case 'FunctionDeclaration':
        return this.#function(node as FunctionDeclaration)
      default:
        this.#nestedVariables(node)
    }
  }

  /** `import(…)` and `import.meta`, wherever they are. */
  dynamicImports(node: AnyNode): void {
    if (node.type === 'ImportExpression') this.#edit(node.start, node.start + 'import'.length, DYNAMIC_IMPORT)
    else if (node.type === 'MetaProperty' && node.meta.name === 'import') this.#edit(node.start, node.end, IMPORT_META, true)
    for (const child of children(node)) this.dynamicImports(child)
  }

  /** For V8 a `const` of a cell is a `let`. */
  constants(program: Program): void {
    for (const node of constantAssignments(program, this.#names.constant)) {
      if (node.type === 'UpdateExpression') this.#edit(node.start, node.end, `${CONSTANT}()`)
      else {
        const logical = /^(\|\||&&|\?\?)=$/.exec(node.operator)?.[1]
        const keep = logical === undefined ? '' : `${this.#text(node.left)}${logical}`
        this.#edit(node.left.start, node.right.start, `${keep}${CONSTANT}(`)
        this.#edit(node.right.end, node.right.end, ')')
      }
    }
  }

  #import(node: ImportDeclaration): void {
    this.#noValue = true
    const pairs: [imported: string, local: string][] = []
    let namespace: string | undefined
    for (const specifier of node.specifiers) {
      if (specifier.type === 'ImportNamespaceSpecifier') namespace = specifier.local.name
      else if (specifier.type === 'ImportDefaultSpecifier') pairs.push(['default', specifier.local.name])
      else {
        const { imported } = specifier
        pairs.push([imported.type === 'Identifier' ? imported.name : String(imported.value), specifier.local.name])
      }
    }
    const attributes = node.attributes.map((one) => `${this.#text(one.key)}: ${this.#text(one.value)}`)
    const wanted = pairs.map(([imported]) => JSON.stringify(imported))
    const call = `await ${DYNAMIC_IMPORT}(${[
      this.#text(node.source),
      ...(attributes.length > 0 || wanted.length > 0 ? [attributes.length > 0 ? `{with: {${attributes.join(', ')}}}` : 'undefined'] : []),
      ...(wanted.length > 0 ? [`[${wanted.join(', ')}]`] : []),
    ].join(', ')})`
    const locals = [...pairs.map(([, local]) => local), ...(namespace === undefined ? [] : [namespace])]
    const pattern = `{${pairs.map(([imported, local]) => `${JSON.stringify(imported)}: ${local}`).join(', ')}}`
    const assign = this.#mustAssign(locals, 'lexical', true)
    let text: string
    if (locals.length === 0) text = call
    else if (namespace === undefined) text = assign ? `;(${pattern} = ${call})` : `let ${pattern} = ${call}`
    else if (pairs.length === 0) text = `${assign ? '' : 'let '}${namespace} = ${call}`
    else text = assign ? `${namespace} = ${call}; (${pattern} = ${namespace})` : `let ${namespace} = ${call}, ${pattern} = ${namespace}`
    this.#edit(node.start, node.end, `${text};`, true)
  }

  #exportNamed(node: ExportNamedDeclaration): void {
    if (node.declaration) {
      this.#blank(node.start, node.declaration.start)
      this.topLevel(node.declaration)
      this.#noValue = true
    } else if (node.source) {
      this.#edit(node.start, node.end, `await ${DYNAMIC_IMPORT}(${this.#text(node.source)});`, true)
      this.#noValue = true
    } else {
      this.#blank(node.start, node.end)
    }
  }

  #exportDefault(node: ExportDefaultDeclaration): void {
    const { declaration } = node
    const named = 'id' in declaration && declaration.id
    if (named && (declaration.type === 'FunctionDeclaration' || declaration.type === 'ClassDeclaration')) {
      this.#blank(node.start, declaration.start)
      this.topLevel(declaration as FunctionDeclaration | ClassDeclaration)
      return
    }
    // An anonymous function or class would not be an expression at the start of a statement.
    this.#blank(node.start, declaration.start - 1)
    this.#edit(declaration.start - 1, declaration.start, '(')
    this.#edit(declaration.end, declaration.end, ')')
  }

  #class(node: ClassDeclaration | ExportDefaultDeclaration['declaration']): void {
    const name = (node as ClassDeclaration).id.name
    if (this.#mustAssign([name], 'lexical')) {
      this.#edit(node.start, node.start, `${name}=`)
      this.#noValue = true
    }
  }

  /** Function declarations are hoisted: over a `let` the assignment comes before everything else. */
  #function(node: FunctionDeclaration): void {
    const { name } = node.id
    this.#names.constant.delete(name)
    if (!this.#names.lexical.has(name)) {
      this.#names.variable.add(name)
      return
    }
    this.#hoisted.push(node)
  }

  /** Moves a function to the preamble, at the place it had. */
  #hoist(node: FunctionDeclaration): void {
    const before = this.#code.slice(0, node.start)
    const line = before.split('\n').length - 1
    const column = node.start - (before.lastIndexOf('\n') + 1)
    const assign = `${node.id.name}=`
    const place = line > 0 ? `${'\n'.repeat(line - 1)}${assign}\n${' '.repeat(column)}` : assign
    this.#preamble.push(`${place}${this.#apply(node.start, node.end)};`)
    this.#blank(node.start, node.end)
  }

  /** `var` in blocks and loops belongs to the top, too. */
  #nestedVariables(node: AnyNode, parent?: AnyNode): void {
    if (/Function|Class/.test(node.type)) {
      // Of a function in a block only the name is the top's (and only in sloppy mode, if nothing else has it).
      if (node.type === 'FunctionDeclaration' && node.id && !this.#names.lexical.has(node.id.name)) this.#names.variable.add(node.id.name)
      return
    }
    if (node.type === 'VariableDeclaration' && node.kind === 'var') {
      const inHead = parent && /^For/.test(parent.type) && 'body' in parent && (parent.body as AnyNode) !== node
      this.#variables(node, inHead ? 'for' : parent?.type === 'BlockStatement' ? 'statement' : 'branch')
      this.#noValue = false
    }
    for (const child of children(node)) this.#nestedVariables(child, node)
  }

  #variables(node: VariableDeclaration, place: 'statement' | 'for' | 'branch'): void {
    const group = node.kind === 'var' ? 'variable' : 'lexical'
    const locals = node.declarations.flatMap((declarator) => boundNames(declarator.id))
    const constant = node.kind === 'const'
    if ((node.kind as string).includes('using')) {
      this.#lexical = true
      return
    }
    if (!this.#mustAssign(locals, group, constant)) {
      if (constant) this.#edit(node.start, node.start + 'const'.length, 'let  ')
      return
    }
    this.#noValue = true
    this.#blank(node.start, node.start + node.kind.length)
    for (const { id, init } of node.declarations) {
      const parenthesis = id.type === 'ObjectPattern' && place !== 'for'
      // The semicolon: a line before without one would call its value with this.
      if (parenthesis) this.#edit(id.start, id.start, place === 'statement' && id === node.declarations[0]?.id ? ';(' : '(')
      if (init) {
        if (parenthesis) this.#edit(init.end, init.end, ')')
      } else if (node.kind === 'let') this.#edit(id.end, id.end, '=void 0')
      else if (place !== 'for') this.#edit(id.start, id.end, 'void 0')
    }
  }

  /**
   * Whether a declaration of these names must become an assignment, because one of them is of the other group. Those that are new
   * are declared in the preamble then.
   */
  #mustAssign(locals: readonly string[], group: 'lexical' | 'variable', constant = false): boolean {
    for (const name of locals) {
      if (constant) this.#names.constant.add(name)
      else this.#names.constant.delete(name)
    }
    if (group === 'lexical') this.#lexical = true
    const own = this.#names[group]
    const other = group === 'lexical' ? this.#names.variable : this.#names.lexical
    const assign = locals.some((name) => other.has(name))
    const fresh = locals.filter((name) => !other.has(name) && !own.has(name))
    if (assign && fresh.length > 0) this.#preamble.push(`${group === 'lexical' ? 'let' : 'var'} ${fresh.join(', ')};`)
    for (const name of fresh) own.add(name)
    return assign
  }

  #text(node: AnyNode): string {
    return this.#code.slice(node.start, node.end)
  }

  #edit(start: number, end: number, text: string, keepLines = false): void {
    if (keepLines) {
      const lost = this.#code.slice(start, end).split('\n').length - 1
      this.#edits.push({ start, end, text: (text + '\n'.repeat(lost)).padEnd(end - start, lost > 0 ? '' : ' ') })
    } else this.#edits.push({ start, end, text })
  }

  #blank(start: number, end: number): void {
    this.#edits.push({ start, end, text: this.#code.slice(start, end).replace(/[^\n\r\u2028\u2029]/g, ' ') })
  }

  /** A part of the code with its edits. */
  #apply(from: number, to: number, applied?: AppliedEdit[]): string {
    if (this.#edits.length === 0) return this.#code.slice(from, to)
    // Stable: insertions at one place stay in the order they were made.
    const edits = this.#edits.map((edit, index) => ({ ...edit, index })).sort((a, b) => a.start - b.start || a.index - b.index)
    let out = ''
    let at = from
    for (const edit of edits) {
      // Outside, or inside something that was replaced as a whole.
      if (edit.start < at || edit.end > to) continue
      out += this.#code.slice(at, edit.start) + edit.text
      if (applied && edit.text.length !== edit.end - edit.start)
        applied.push({ start: edit.start, end: edit.end, length: edit.text.length })
      at = edit.end
    }
    return out + this.#code.slice(at, to)
  }
}
