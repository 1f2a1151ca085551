import { Internal } from './codec.ts'
import type { WasmGlobal } from './web-assembly.ts'

/** What lua.wasm exports beside the C API of Lua. Addresses above 2 GiB arrive negative. */
export interface LuaExports {
  __stack_pointer: WasmGlobal
  _initialize(): void
  lw_new_state(): number
  lw_new_thread(): number
  lw_running_thread(): number
  lw_parent_thread(thread: number): number
  lw_control_block(): number
  lw_call(thread: number, message: number, count: number, results: number): number
  lw_arguments(thread: number, count: number): void
  lw_push(thread: number, message: number, count: number): void
  lw_push_nil(thread: number): void
  lw_push_boolean(thread: number, value: number): void
  lw_push_number(thread: number, value: number): void
  lw_unref(thread: number, reference: number): void
  lw_malloc(size: number): number
  lw_free(address: number): void
  lw_flush(): void
  lw_flush_all(): void
  lw_set_breakpoints(origin: number, name: number, length: number, lines: number, count: number): number
  lw_set_function_breakpoints(names: number, length: number): number
  lw_bound_functions(): number
  lw_clear_breakpoints(): void
  lw_breakable_lines(origin: number, name: number, length: number, count: number): number
  lw_adopt_sources(): void
  lw_threads(list: number, capacity: number): number
  lw_frame_depth(thread: number): number
  lw_step(thread: number, mode: number): void
  lw_record(on: number): void
}

/** Functions of wasm/c/internals.c. */
export const INTERNAL: Record<'load' | 'type' | 'setGlobal' | 'seed' | 'getGlobal' | 'probe' | 'begin' | 'proceed', Internal> = {
  load: new Internal(0),
  type: new Internal(1),
  setGlobal: new Internal(2),
  seed: new Internal(3),
  getGlobal: new Internal(4),
  probe: new Internal(5),
  begin: new Internal(6),
  proceed: new Internal(7),
}

/** Results of host_call that are no count (wasm/c/host.c). */
export const HOST = { error: -1, yield: -2, interrupt: -3, message: -4 } as const
/** Third argument of lw_call (wasm/c/state.c). */
export const RESULTS = { values: 0, text: 1, none: 2 } as const
/** Of host_event, and its results (wasm/c/debugger.c). */
export const EVENT_KINDS = ['attention', 'breakpoint', 'step', 'exception', 'line', 'loaded'] as const
/** Beside the kind. */
export const EVENT_FLAGS = { stepEnds: 1, canYield: 2, atLine: 4 } as const
export const EVENT_RESULTS = { continue: 0, interrupt: 1, 'interrupt-hard': 2, yield: 3 } as const
/** Second argument of lw_step. */
export const STEP_MODES = { run: 0, in: 1, over: 2, out: 3 } as const
