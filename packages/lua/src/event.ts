/**
 * `attention`: another thread asked for it. `breakpoint`, `step`: before the first instruction of `line` runs; `line`: the same for every
 * line while recording. `exception`: an error is being raised (`status`); the stack that raised it is alive.
 * `loaded`: a chunk of source `origin` is there; the answer is of no effect.
 * While the handler runs, Lua stands still: block as long as needed, look around on a thread of your own, call `vm.debugging.step`.
 */
export interface LuaEvent {
  readonly kind: 'attention' | 'breakpoint' | 'step' | 'exception' | 'line' | 'loaded'
  /** Line for breakpoint, step and line. */
  readonly line: number
  /** Status for exception. */
  readonly status: number
  /** The thread that stands still. */
  readonly thread: ThreadPointer
  /** Number of the source, where the host gives numbers; else 0. */
  readonly origin: number
  /** For `breakpoint`: the function breakpoints met by entering the function, a bit for each. */
  readonly entry: number
  /** For `breakpoint`: the line itself has one. */
  readonly atLine: boolean
  /** For `breakpoint`: the instruction, until the next chunk is loaded. */
  readonly place: number
  /** A step ends here, too. */
  readonly stepEnds: boolean
  /** The answer may be `yield`, which suspends everything down to the host: see `vm.begin`. */
  readonly canYield: boolean
}

/** `interrupt` raises an error `interrupted` that the script may catch; `interrupt-hard` one that it cannot keep. */
export type EventResult = 'continue' | 'interrupt' | 'interrupt-hard' | 'yield'

export type StepMode = 'run' | 'in' | 'over' | 'out'

/** Address of a Lua thread. */
export type ThreadPointer = number
