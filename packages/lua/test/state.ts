import { compileLua, LuaInspector, type LuaModule, type LuaOptions, LuaProbe, LuaVM } from '../src/index.ts'

/** One module for all tests of a file: compiled once. */
export const lua: LuaModule = compileLua()

export interface TestState {
  vm: LuaVM
  /** What the script wrote so far. */
  stdout(): string
  stderr(): string
}

export function newState(options: LuaOptions = {}): TestState {
  const out: Uint8Array[] = []
  const err: Uint8Array[] = []
  const vm = LuaVM.create(lua, { stdout: (bytes) => out.push(bytes), stderr: (bytes) => err.push(bytes), ...options })
  return {
    vm,
    stdout: () => {
      vm.flush()
      return Buffer.concat(out).toString()
    },
    stderr: () => Buffer.concat(err).toString(),
  }
}

/** A probe for which nothing is built in. */
export function newProbe(vm: LuaVM, inspector: LuaInspector = new LuaInspector(vm)): LuaProbe {
  const [isBuiltin] = vm.execute('return function() return false end') as [never]
  return new LuaProbe(vm, inspector, isBuiltin)
}
