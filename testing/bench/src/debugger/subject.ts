import type { Call, State } from './programs.ts'

/** A language under a debugger: ours, or what people use otherwise. */
export interface Subject {
  name: string
  /** Milliseconds of processor time of this call in this state, after a little of the same work. */
  time(call: Call, state: State): Promise<number>
  close(): Promise<void>
}

/** One that also tells what a condition that is false costs, and stands still on request. */
export interface DebuggedSubject extends Subject {
  /** Milliseconds (by the clock) of `count` passes over the line with the condition, or without any breakpoint. */
  passes(count: number, condition: boolean): Promise<number>
  /** Milliseconds from the command to step over to having the stop, the stack, the scopes and the locals, for each of `count` steps. */
  steps(count: number): Promise<number[]>
}
