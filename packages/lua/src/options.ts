import type { EventResult, LuaEvent, ThreadPointer } from './event.ts'
import type { SystemOptions } from './system.ts'
import type { WasmMemory } from './web-assembly.ts'

export interface LuaOptions extends SystemOptions {
  /** Where the state lives. Default: a fresh one, shared when the module is, of at most `maximumMemory`. */
  memory?: WasmMemory
  /**
   * Bytes of Lua heap; default 0, no limit of its own. Exact: at the limit Lua collects, then raises `not enough memory`.
   * A call after one that ended so may use 256 KiB more than what is in use: to free something takes memory, too.
   */
  memoryLimit?: number
  /** Bytes of linear memory when no `memory` is given; default 4 GiB, the most there can be. Fragmentation stays below it. */
  maximumMemory?: number
  /** Called at safe points after `control.attention()`, and by the debugger. Default: go on. */
  onEvent?: (event: LuaEvent) => EventResult
  /**
   * While `control.telling`: gives the number of the source of a chunk that the program loads, below 0 for none that matters.
   * `text` where it is known and no more than 4 MiB.
   */
  onLoad?: (chunkName: string, text: string | undefined) => number
}

export interface CallOptions {
  /** `values` (default) decodes the results, `text` gives `tostring` of each, `none` drops them. */
  results?: 'values' | 'text' | 'none'
  /** Run on this thread instead of the running one. */
  thread?: ThreadPointer
  /** No breakpoints, steps and exception events meanwhile. */
  quiet?: boolean
}
