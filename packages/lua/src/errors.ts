/** Status of a failed call, as in lua.h. */
export const LuaStatus = { runtime: 2, syntax: 3, memory: 4, handler: 5 } as const

/** An error raised by Lua, or to be raised in Lua when a host function throws one: then `value` is the Lua error value. */
export class LuaError extends Error {
  override readonly name: string = 'LuaError'
  /** The Lua error value: usually the message, but any value can be raised. */
  readonly value: unknown
  readonly status: number
  /** `stack traceback:` and its lines; missing when Lua could not make one. */
  readonly traceback: string | undefined

  constructor(message: string, options: { value?: unknown; status?: number; traceback?: string | undefined; cause?: unknown } = {}) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined)
    this.value = 'value' in options ? options.value : message
    this.status = options.status ?? LuaStatus.runtime
    this.traceback = options.traceback
  }
}

/** The source does not compile. */
export class LuaSyntaxError extends LuaError {
  override readonly name: string = 'LuaSyntaxError'
  /** The source is a beginning of something valid. */
  readonly incomplete: boolean

  constructor(message: string, incomplete: boolean) {
    super(message, { status: LuaStatus.syntax })
    this.incomplete = incomplete
  }
}

/** The memory limit was reached. The state goes on once something is freed. */
export class LuaMemoryError extends LuaError {
  override readonly name: string = 'LuaMemoryError'
}

/** Running code was stopped by an interrupt. A host function may throw it to have the same effect. */
export class LuaInterrupted extends LuaError {
  override readonly name: string = 'LuaInterrupted'

  constructor(traceback?: string) {
    super('interrupted', { traceback })
  }
}

/** The script called os.exit. */
export class LuaExit extends Error {
  override readonly name: string = 'LuaExit'
  readonly code: number

  constructor(code: number) {
    super(`os.exit(${code})`)
    this.code = code
  }
}

/** A bug below Lua: the state is lost and every further call throws this. */
export class LuaCrash extends Error {
  override readonly name: string = 'LuaCrash'
}
