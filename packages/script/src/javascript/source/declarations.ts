/**
 * The names that the cells of one engine have declared at their top. V8's REPL mode lets a name be declared again only within its
 * group; the rewriter turns a declaration over the other group into an assignment.
 */
export class Declarations {
  /** `let`, `const`, `class`, `import`. */
  readonly lexical: Set<string> = new Set()
  /** `var`, `function`: properties of the global object. */
  readonly variable: Set<string> = new Set()
  /** Those of them that may not be assigned to. */
  readonly constant: Set<string> = new Set()
}
