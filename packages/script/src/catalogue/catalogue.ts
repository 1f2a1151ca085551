/**
 * One description of every script global, in data. Both languages' bindings, completion, inspection texts, `.d.ts`,
 * LuaLS `---@meta` files and the reference page are derived from it.
 */

export type ValueType = 'string' | 'number' | 'integer' | 'boolean' | 'any' | 'object' | 'array' | 'nil'

export interface CatalogueParameter {
  name: string
  type: ValueType | readonly ValueType[]
  doc: string
  optional?: boolean
  /** Fields of an `object` parameter; unknown fields are refused with a suggestion. Without it any field is taken. */
  fields?: readonly CatalogueParameter[]
  /** Closed set of strings. */
  values?: readonly string[]
}

export interface CatalogueResult {
  type: ValueType | readonly ValueType[]
  doc: string
  fields?: readonly CatalogueParameter[]
}

/** Context of one call, as a value. */
export interface CallContext {
  executionId: string
  /** Jupyter session id of the client that asked. */
  session: string
  signal: AbortSignal
}

/** Whose errors its errors are: debuggers can stop at those of tools and of providers of models. */
export type FunctionKind = 'tool' | 'provider'

/** What is known of a function without being able to run it: what engines, generators and documentation work from. */
export interface FunctionDescription {
  name: string
  doc: string
  parameters: readonly CatalogueParameter[]
  result?: CatalogueResult
  /** Runnable samples by language, shown in the reference and executed by a test. */
  examples?: { lua?: string; javascript?: string }
  /** JavaScript gets a promise by default; `sync` also offers `<name>Sync`. Lua calls always block. */
  sync?: boolean
  /** The engine does it itself: JavaScript gets the result and not a promise. */
  immediate?: boolean
  kind?: FunctionKind
}

/** A global or field that is not a function: `Args`, `JSON.null`. */
export interface ValueDescription {
  name: string
  type: ValueType | readonly ValueType[]
  doc: string
}

export interface ModuleDescription {
  /** Global name: `State`. With `global` it is only a heading. */
  name: string
  doc: string
  functions: readonly FunctionDescription[]
  values?: readonly ValueDescription[]
  /** The functions and values are globals themselves (`display`, `sleep`) and not fields of a global. */
  global?: boolean
  /** Where it exists; by default in every language. */
  languages?: readonly ('lua' | 'javascript')[]
}

export interface CatalogueFunction extends FunctionDescription {
  /**
   * `args` have passed `checkArguments`: their number is that of `parameters` at most, trailing absent ones are left out.
   * May return a promise.
   */
  run(args: readonly unknown[], context: CallContext): unknown
}

export interface CatalogueModule extends ModuleDescription {
  functions: readonly CatalogueFunction[]
  global?: false
}

/** The catalogue as plain data that can be posted to a worker or a process. */
export function describeCatalogue(modules: readonly ModuleDescription[]): ModuleDescription[] {
  return modules.map((module) => ({
    name: module.name,
    doc: module.doc,
    ...(module.values && { values: module.values }),
    ...(module.global && { global: true }),
    ...(module.languages && { languages: module.languages }),
    functions: module.functions.map(({ name, doc, parameters, result, examples, sync, immediate, kind }) => ({
      name,
      doc,
      parameters,
      ...(result && { result }),
      ...(examples && { examples }),
      ...(sync && { sync }),
      ...(immediate && { immediate }),
      ...(kind && { kind }),
    })),
  }))
}
