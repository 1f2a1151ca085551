import { type LuaFunction, LuaSyntaxError, type LuaVM } from '@llmspell/lua'
import type { Completeness } from '../engine.ts'

/** A compiled cell. With `skip` 1 its first result is a placeholder: the value of the cell follows it. */
export interface CompiledCell {
  chunk: LuaFunction
  skip: 0 | 1
}

/**
 * `return nil, …` instead of `return …`: the latter would make a call in the expression a tail call, and errors would lose
 * the line they happened on.
 */
const RETURN = 'return nil, '

/** How far back the last statement of a cell is looked for. */
const LAST_STATEMENT_LINES = 60
const LAST_STATEMENT_LENGTH = 8_192

/** Could go on with the line before it: `x = f` and `(y)` on the next line are one statement. */
const CONTINUES = /^\s*[({["'\-~.:]/
const NOTHING = /^\s*(?:--(?!\[=*\[).*)?$/

/**
 * Compiles as a Lua REPL does: an expression gives its values, statements are run, and when the last statement of several is an
 * expression its values are the cell's. Line numbers are those of the source.
 *
 * @throws LuaSyntaxError of the source as it stands.
 */
export function compileCell(vm: LuaVM, code: string, chunkName: string, wantResult: boolean): CompiledCell {
  if (wantResult) {
    const expression = tryLoad(vm, RETURN + code, chunkName)
    if (!(expression instanceof LuaSyntaxError)) return { chunk: expression, skip: 1 }
  }
  const whole = tryLoad(vm, code, chunkName)
  if (wantResult) {
    const chunk = lastExpression(vm, code, chunkName, !(whole instanceof LuaSyntaxError))
    if (chunk) {
      if (!(whole instanceof LuaSyntaxError)) whole.release()
      return { chunk, skip: 1 }
    }
  }
  if (whole instanceof LuaSyntaxError) throw whole
  return { chunk: whole, skip: 0 }
}

/** Whether more lines are needed. */
export function completenessOf(vm: LuaVM, code: string): Completeness {
  let incomplete = false
  const attempt = (source: string): boolean => {
    const chunk = tryLoad(vm, source, '=(input)')
    if (!(chunk instanceof LuaSyntaxError)) {
      chunk.release()
      return true
    }
    incomplete ||= chunk.incomplete
    return false
  }
  if (attempt(RETURN + code) || attempt(code)) return { status: 'complete' }
  for (const { prefix, rest } of splits(code)) {
    const last = tryLoad(vm, RETURN + rest, '=(input)')
    const ends = last instanceof LuaSyntaxError ? last.incomplete : true
    if (!ends) continue
    const before = tryLoad(vm, prefix, '=(input)')
    if (before instanceof LuaSyntaxError) continue
    before.release()
    if (!(last instanceof LuaSyntaxError)) {
      last.release()
      return { status: 'complete' }
    }
    incomplete = true
  }
  return incomplete ? { status: 'incomplete', indent: indentAfter(code) } : { status: 'invalid' }
}

function lastExpression(vm: LuaVM, code: string, chunkName: string, compiles: boolean): LuaFunction | undefined {
  for (const { prefix, rest } of splits(code)) {
    if (compiles && CONTINUES.test(rest)) continue
    const last = tryLoad(vm, RETURN + rest, chunkName)
    if (last instanceof LuaSyntaxError) continue
    last.release()
    const before = tryLoad(vm, prefix, chunkName)
    if (before instanceof LuaSyntaxError) continue
    before.release()
    const joined = tryLoad(vm, prefix + RETURN + rest, chunkName)
    if (!(joined instanceof LuaSyntaxError)) return joined
  }
  return undefined
}

/** The code parted before each of its last lines. */
function* splits(code: string): Generator<{ prefix: string; rest: string }> {
  let at = code.length
  for (let count = 0; count < LAST_STATEMENT_LINES && at > 0; count++) {
    const start = code.lastIndexOf('\n', at - 1) + 1
    if (start === 0 || code.length - start > LAST_STATEMENT_LENGTH) return
    if (!NOTHING.test(code.slice(start, at))) yield { prefix: code.slice(0, start), rest: code.slice(start) }
    at = start - 1
  }
}

function tryLoad(vm: LuaVM, source: string, chunkName: string): LuaFunction | LuaSyntaxError {
  try {
    return vm.load(source, chunkName)
  } catch (error) {
    if (error instanceof LuaSyntaxError) return error
    throw error
  }
}

function indentAfter(code: string): string {
  const line = code.slice(code.trimEnd().lastIndexOf('\n') + 1).trimEnd()
  const indent = /^\s*/.exec(line)?.[0] ?? ''
  return /(?:\b(?:then|do|else|repeat)|\bfunction\b[^()]*\([^()]*\)|[({])\s*(?:--.*)?$/.test(line) ? `${indent}  ` : indent
}
