/**
 * Lua 5.4 in WebAssembly: one state per memory, synchronous, in any thread.
 *
 * ```js
 * const vm = LuaVM.create(compileLua(), { stdout: (bytes) => process.stdout.write(bytes) })
 * vm.setGlobal('add', vm.function('add', (a, b) => a + b))
 * vm.execute('print(add(1, 2))', '=example')
 * vm.flush()
 * ```
 *
 * - Values: see values.ts for the whole table of conversions.
 * - Errors: `load` throws LuaSyntaxError (`incomplete` tells unfinished input); `call` throws LuaError with `value` and `traceback`,
 *   LuaMemoryError at the memory limit, LuaInterrupted, LuaExit for os.exit. After any of them the state goes on; after LuaCrash it is lost.
 * - Interrupts: run the VM in a worker and post `{ memory, controlAddress }` out of it. Elsewhere,
 *   `new LuaControl(memory, controlAddress)` then has `attention()` (the VM calls `onEvent` at its next safe point, which may answer
 *   `interrupt`) and `interruptHard()` (unwinds everything, whatever it catches).
 * - Output is buffered: call `flush()` at the end of a run, before blocking, and on attention while `control.outputPending`.
 * - Files, processes, environment: `system` with its `policy`, `cwd` and `env`, which may be changed between calls.
 * - Cells: `compileCell` gives the value of a last expression, `completeness` tells unfinished input.
 * - Looking: `LuaInspector` has completion and inspection, `LuaProbe` stack, variables and evaluation, idle or inside an event.
 * - Going back: `LuaHistory` keeps earlier moments of a state that runs in `vm.begin`.
 * - Speed: `warmUp(module)` once in a process; post the module to workers.
 *
 * Needs Node: Buffer and TextDecoder there read shared memory, which browsers refuse.
 */
export { LuaControl, Signal } from './control.ts'
export type { LuaDebugging } from './debugging.ts'
export { LuaCrash, LuaError, LuaExit, LuaInterrupted, LuaMemoryError, LuaStatus, LuaSyntaxError } from './errors.ts'
export type { EventResult, LuaEvent, StepMode, ThreadPointer } from './event.ts'
export { LuaHistory } from './history.ts'
export type { HostCallback } from './host-registry.ts'
export {
  type Completion,
  type CompletionItem,
  type Description,
  type Documentation,
  type Frame,
  LuaInspector,
} from './inspector.ts'
export { declaredNames, KEYWORDS, openBlocks, type Token, tokenize } from './lexer.ts'
export { compileLua, type LuaModule } from './module.ts'
export type { CallOptions, LuaOptions } from './options.ts'
export type { Access, Policy } from './policy.ts'
export { type Evaluated, EvaluationError, LuaProbe, type Page, type StackEntry, type Thrown, type Variable } from './probe.ts'
export { type Cell, compileCell, completeness, withoutFirstLineComment } from './repl.ts'
export type { CommandResult } from './shell.ts'
export type { LuaSnapshot } from './snapshot.ts'
export { standardLibrary } from './standard-library.ts'
export type { LuaSystem, SystemOptions } from './system.ts'
export { HostFunction, LuaFloat, LuaFunction, LuaReference, LuaResults, LuaThread, LuaUserdata, results, YIELD } from './values.ts'
export { type LuaMoment, LuaVM } from './vm.ts'
export { warmUp } from './warm-up.ts'
export type { WasmMemory, WasmModule } from './web-assembly.ts'
