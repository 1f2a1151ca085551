import { LuaSyntaxError } from './errors.ts'
import { openBlocks, tokenize } from './lexer.ts'
import type { LuaFunction } from './values.ts'
import type { LuaVM } from './vm.ts'

/**
 * A plain `return f()` is a tail call: an error in f would come without the line of the cell. With a variable to close in scope
 * it is an ordinary call; nil closes nothing.
 */
const RESULT = 'local __cell__ <close> = nil return '

/** A compiled cell. */
export interface Cell {
  chunk: LuaFunction
  /** The chunk returns the value of the cell's last expression. Otherwise what it returns, it returns explicitly. */
  isExpression: boolean
}

/**
 * Compiles what a user typed. An expression, or an expression after the last statement, becomes the result; line numbers stay.
 * Throws LuaSyntaxError; `incomplete` when more lines could make it valid.
 */
export function compileCell(vm: LuaVM, code: string, chunkName = '=(cell)'): Cell {
  // In a file any first line with `#` is skipped; in a cell `#t` asks for a length.
  const source = /^\ufeff?#[^!]/.test(code) ? code : withoutFirstLineComment(code)
  const expression = attempt(vm, RESULT + source, chunkName)
  // `return` alone is what an empty cell or a comment becomes.
  if (expression.chunk) return { chunk: expression.chunk, isExpression: true }
  const whole = attempt(vm, source, chunkName)
  const last = lastExpression(vm, source, chunkName, whole.chunk !== undefined)
  if (last.chunk) {
    whole.chunk?.release()
    return { chunk: last.chunk, isExpression: true }
  }
  if (whole.chunk) return { chunk: whole.chunk, isExpression: false }
  throw new LuaSyntaxError(whole.error.message, whole.error.incomplete || expression.error.incomplete || last.incomplete)
}

/** Whether the code can run, needs more lines (`indent`: how to begin the next), or cannot become valid. */
export function completeness(vm: LuaVM, code: string): { status: 'complete' | 'invalid' } | { status: 'incomplete'; indent: string } {
  try {
    compileCell(vm, code).chunk.release()
    return { status: 'complete' }
  } catch (error) {
    if (!(error instanceof LuaSyntaxError)) throw error
    return error.incomplete ? { status: 'incomplete', indent: '  '.repeat(openBlocks(tokenize(code))) } : { status: 'invalid' }
  }
}

type Attempt = { chunk: LuaFunction; error?: undefined } | { chunk?: undefined; error: LuaSyntaxError }

function attempt(vm: LuaVM, source: string, chunkName: string): Attempt {
  try {
    return { chunk: vm.load(source, chunkName) }
  } catch (error) {
    if (error instanceof LuaSyntaxError) return { error }
    throw error
  }
}

function compiles(vm: LuaVM, source: string): boolean {
  const { chunk } = attempt(vm, source, '=(trial)')
  chunk?.release()
  return chunk !== undefined
}

/** Beginnings that continue the line before when the whole compiles: a call, an index, a string or table argument, an operator. */
const CONTINUES = /^\s*[({["'~-]/
const NOTHING = /^\s*(?:--.*)?$/

/**
 * From the last line upwards: a rest that is an expression, after a prefix that is complete by itself. That test keeps it out
 * of the bodies of blocks; a rest that is a complete statement ends the search, as what stands above it is not the end of the cell.
 */
function lastExpression(
  vm: LuaVM,
  source: string,
  chunkName: string,
  wholeCompiles: boolean,
): { chunk?: LuaFunction; incomplete: boolean } {
  const lines = source.split('\n')
  for (let i = lines.length - 1; i > 0; i--) {
    if (NOTHING.test(lines[i] ?? '')) continue
    const rest = lines.slice(i).join('\n')
    if (wholeCompiles && CONTINUES.test(rest)) continue
    const asResult = attempt(vm, RESULT + rest, '=(trial)')
    asResult.chunk?.release()
    if (asResult.chunk || asResult.error.incomplete) {
      const prefix = lines.slice(0, i).join('\n')
      if (compiles(vm, prefix)) {
        if (!asResult.chunk) return { incomplete: true }
        const { chunk } = attempt(vm, `${prefix}\n${RESULT}${rest}`, chunkName)
        if (chunk) return { chunk, incomplete: false }
      }
    }
    if (compiles(vm, rest)) break
  }
  return { incomplete: false }
}

/** A byte order mark and a first line that begins with `#` are no Lua: `luaL_loadfile` skips them as well. */
export function withoutFirstLineComment(code: string): string {
  const text = code.startsWith('\ufeff') ? code.slice(1) : code
  return text.startsWith('#') ? text.replace(/^[^\n]*/, '') : text
}
