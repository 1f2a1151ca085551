import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { type WasmModule, webAssembly } from './web-assembly.ts'

/** Lua, compiled. Plain data: post it to worker threads so that they share the compiled (and warmed-up) code. */
export interface LuaModule {
  readonly module: WasmModule
  /** SHA-256 of lua.wasm, in hex: snapshots fit only the module they were taken from. */
  readonly hash: string
  /** Whether memories for it must be shared. */
  readonly shared: boolean
}

/**
 * Compiles Lua: about a millisecond, as V8 compiles functions on first use. Do it once in a process.
 * `shared` (default true) is for memories that other threads reach: interrupts and inspection from outside need it.
 */
export function compileLua(options: { shared?: boolean } = {}): LuaModule {
  const shared = options.shared ?? true
  const bytes = readFileSync(new URL('../wasm/lua.wasm', import.meta.url))
  const hash = createHash('sha256').update(bytes).digest('hex')
  if (shared) markMemoryShared(bytes)
  return { module: new webAssembly.Module(bytes), hash, shared }
}

const IMPORT_SECTION = 2
const KIND_FUNCTION = 0
const KIND_MEMORY = 2
const SHARED = 2

/** Sets the shared flag of the imported memory: the linker wants atomics for it, which Lua's code does not need. */
function markMemoryShared(bytes: Uint8Array): void {
  let at = 8
  const number = (): number => {
    let result = 0
    for (let shift = 1; ; shift *= 128) {
      const byte = bytes[at++] ?? 0
      result += (byte & 127) * shift
      if (byte < 128) return result
    }
  }
  const skip = (length: number): void => {
    at += length
  }
  while (at < bytes.length) {
    const section = bytes[at++]
    const length = number()
    const end = at + length
    if (section === IMPORT_SECTION) {
      for (let left = number(); left > 0; left--) {
        skip(number())
        skip(number())
        const kind = bytes[at++]
        if (kind === KIND_MEMORY) {
          bytes[at] = (bytes[at] ?? 0) | SHARED
          return
        }
        if (kind !== KIND_FUNCTION) throw new Error(`lua.wasm: unexpected import kind ${kind}`)
        number()
      }
    }
    at = end
  }
  throw new Error('lua.wasm: no memory import')
}
