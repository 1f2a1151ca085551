import { LuaMemoryError, LuaStatus } from './errors.ts'
import type { StepMode, ThreadPointer } from './event.ts'
import type { LinearMemory } from './linear-memory.ts'
import { type LuaExports, STEP_MODES } from './wasm-exports.ts'

/** What a debugger sets in a VM: breakpoints, steps, recording. What it meets comes as events: see `vm.onEvent`. */
export class LuaDebugging {
  readonly #exports: LuaExports
  readonly #linear: LinearMemory

  constructor(exports: LuaExports, linear: LinearMemory) {
    this.#exports = exports
    this.#linear = linear
  }

  /**
   * Replaces the breakpoints of a source: its chunk name (`@` included), or the number that `control.origin` or `onLoad` gave it.
   * Chunks loaded later get theirs as well.
   */
  setBreakpoints(source: string | number, lines: readonly number[]): void {
    const [origin, text] = keyOf(source)
    const ascending = [...lines].sort((a, b) => a - b)
    const done = this.#linear.withText(text, ascending, (name, length, list) =>
      this.#exports.lw_set_breakpoints(origin, name, length, list, lines.length),
    )
    if (!done) throw new LuaMemoryError('not enough memory', { status: LuaStatus.memory })
  }

  /** Lines of a loaded source where a breakpoint can be, ascending. */
  breakableLines(source: string | number): number[] {
    const [origin, text] = keyOf(source)
    return this.#linear.withText(text, [0], (name, length, count) => {
      const list = this.#exports.lw_breakable_lines(origin, name, length, count) >>> 0
      const total = this.#linear.view.getInt32(count, true)
      this.#linear.cover(list + total * 4)
      const found = new Set<number>()
      for (let i = 0; i < total; i++) found.add(this.#linear.view.getInt32(list + i * 4, true))
      if (list !== 0) this.#exports.lw_free(list)
      return [...found].sort((a, b) => a - b)
    })
  }

  /**
   * Replaces the breakpoints on functions, 32 at most: `name`, or `table.name` for what code puts into a table of that name.
   * Those of one function are bits of `LuaEvent.entry`, in the order given.
   */
  setFunctionBreakpoints(names: readonly string[]): void {
    const list = names.map((name) => `${name}\n`).join('')
    const done = this.#linear.withText(list, [], (text, length) => this.#exports.lw_set_function_breakpoints(text, length))
    if (!done) throw new LuaMemoryError('not enough memory', { status: LuaStatus.memory })
  }

  /** The function breakpoints that a loaded function has, as bits. */
  get boundFunctions(): number {
    return this.#exports.lw_bound_functions() >>> 0
  }

  /** Asks `onLoad` for the source of everything that is loaded and has none. */
  adoptSources(): void {
    this.#exports.lw_adopt_sources()
  }

  /** Coroutines that run, wait, or have not begun: `capacity` at most. */
  threads(capacity: number): ThreadPointer[] {
    const list = this.#linear.allocate(capacity * 4)
    const count = Math.min(this.#exports.lw_threads(list, capacity), capacity)
    const threads = Array.from({ length: count }, (_, i) => this.#linear.view.getUint32(list + i * 4, true))
    this.#exports.lw_free(list)
    return threads
  }

  /** Orders the running frames of one thread by depth. */
  frameDepth(thread: ThreadPointer): number {
    return this.#exports.lw_frame_depth(thread)
  }

  /** Inside an event, or while it is suspended: how a thread goes on. `over` and `out` are relative to the frame that stands still. */
  step(thread: ThreadPointer, mode: StepMode): void {
    this.#exports.lw_step(thread, STEP_MODES[mode])
  }

  /** Every line is an event from now on; where `canYield`, the answer `yield` makes `begin` or `proceed` return. */
  record(on: boolean): void {
    this.#exports.lw_record(on ? 1 : 0)
  }
}

function keyOf(source: string | number): [number, string] {
  return typeof source === 'number' ? [source, ''] : [0, source]
}
