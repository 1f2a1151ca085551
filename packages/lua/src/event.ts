/**
 * `attention`: another thread asked for it. `breakpoint`, `step`: before the first instruction of `line` runs.
 * `exception`: an error is being raised (`status`); the stack that raised it is alive.
 * While the handler runs, Lua stands still: block as long as needed, look around on a thread of your own, call `vm.step`.
 */
export interface LuaEvent {
  readonly kind: 'attention' | 'breakpoint' | 'step' | 'exception'
  /** Line for breakpoint and step. */
  readonly line: number
  /** Status for exception. */
  readonly status: number
  /** The thread that stands still. */
  readonly thread: ThreadPointer
}

/** `interrupt` raises an error `interrupted` that the script may catch; `interrupt-hard` one that it cannot keep. */
export type EventResult = 'continue' | 'interrupt' | 'interrupt-hard' | 'yield'

export type StepMode = 'run' | 'in' | 'over' | 'out'

/** Address of a Lua thread. */
export type ThreadPointer = number
