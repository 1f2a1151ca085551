import type { WireError } from '../protocol.ts'

/** What a debugger is told when something cannot be done. */
export class Refusal extends Error {
  readonly code: string
  readonly hint: string | undefined

  constructor(code: string, message: string, hint?: string) {
    super(message)
    this.code = code
    this.hint = hint
  }
}

export function staleReference(what: string): Refusal {
  return new Refusal('debug.stale_reference', `${what} is gone: the script went on`)
}

const LUA_ERRORS = new Set(['LuaError', 'LuaSyntaxError', 'LuaMemoryError', 'LuaInterrupted', 'LuaExit'])

/** Another copy of the classes may have made it, so it is told by name. A crash is none: the state is lost. */
export function isLuaError(error: unknown): error is Error {
  return error instanceof Error && LUA_ERRORS.has(error.name)
}

export function toWireError(error: unknown): WireError {
  const { name, message, code, hint } = error as Error & { code?: unknown; hint?: unknown }
  const ownCode = name === 'EvaluationError' || LUA_ERRORS.has(name) ? 'debug.evaluation_failed' : 'debug.failed'
  return { message, code: typeof code === 'string' ? code : ownCode, ...(typeof hint === 'string' && { hint }) }
}
