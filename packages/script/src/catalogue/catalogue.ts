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
  /** Fields of an `object` parameter; unknown fields are refused with a suggestion. */
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

export interface CatalogueFunction {
  name: string
  doc: string
  parameters: readonly CatalogueParameter[]
  result?: CatalogueResult
  /** Runnable samples by language, shown in the reference and executed by a test. */
  examples?: { lua?: string; javascript?: string }
  /** JavaScript gets a promise by default; `sync` also offers `<name>Sync`. Lua calls always block. */
  sync?: boolean
  run(args: readonly unknown[], context: CallContext): Promise<unknown> | unknown
}

export interface CatalogueModule {
  /** Global name: `State`. */
  name: string
  doc: string
  functions: readonly CatalogueFunction[]
}
