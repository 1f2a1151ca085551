import { withTimeout } from '@llmspell/base'
import { expect } from 'vitest'
import type { AttachOptions, BoundBreakpoint, BreakpointSpec, DebugTarget, ResumeMode, StackFrame } from '../debug-target.ts'
import type { StoppedEvent } from '../engine-link.ts'
import type { DebugPrograms } from './debug-programs.ts'
import { DebugRecorder } from './debug-recorder.ts'
import type { DebuggedNamespace } from './debug-target-harness.ts'

/** Long enough for a machine that does ten other things; nothing here measures speed. */
export const STEP_TIMEOUT_MS = 60_000
export const TEST_TIMEOUT_MS = 180_000
/** Time in which a stop that must not come would have come. */
export const SETTLE_MS = 150

export type ProgramName = Exclude<keyof DebugPrograms, 'suffix' | 'longString'>
export type Outcome = Awaited<ReturnType<DebuggedNamespace['run']>>

export interface Stop extends StoppedEvent {
  frames: StackFrame[]
  /** Of the top frame. */
  line: number
}

let count = 0

/** One namespace under a debugger, with the words that the suite's sentences are made of. */
export class Debugging {
  readonly namespace: DebuggedNamespace
  readonly recorder: DebugRecorder
  readonly programs: DebugPrograms
  readonly #unique: number = ++count
  #ids = 0

  constructor(namespace: DebuggedNamespace, programs: DebugPrograms) {
    this.namespace = namespace
    this.programs = programs
    this.recorder = new DebugRecorder(namespace.target)
  }

  get target(): DebugTarget {
    return this.namespace.target
  }

  attach(options: AttachOptions = {}): Promise<void> {
    return withTimeout(this.target.attach(options), STEP_TIMEOUT_MS, 'attach')
  }

  code(name: ProgramName): string {
    const code = this.programs[name]
    if (code === undefined) throw new Error(`there is no program ${name}`)
    return code
  }

  source(name: ProgramName): string {
    return `/llmspell-suite/${this.#unique}/${name}${this.programs.suffix}`
  }

  /** The line that `@mark` names. */
  line(name: ProgramName, mark: string): number {
    const index = this.code(name)
      .split('\n')
      .findIndex((line) => new RegExp(`@${mark}\\b`).test(line))
    if (index < 0) throw new Error(`program ${name} has no line @${mark}`)
    return index + 1
  }

  run(name: ProgramName): Promise<Outcome> {
    return this.namespace.run(this.source(name), this.code(name))
  }

  ended(run: Promise<Outcome>): Promise<Outcome> {
    return withTimeout(run, STEP_TIMEOUT_MS, 'the end of the program')
  }

  /** Sets the only breakpoint of a program. */
  async breakAt(name: ProgramName, mark: string, more: Partial<BreakpointSpec> = {}): Promise<BoundBreakpoint> {
    const spec = { id: ++this.#ids, line: this.line(name, mark), ...more }
    const [bound] = await this.setBreakpoints(name, [spec])
    return bound as BoundBreakpoint
  }

  setBreakpoints(name: ProgramName, specs: readonly BreakpointSpec[]): Promise<BoundBreakpoint[]> {
    return withTimeout(this.target.setBreakpoints(this.source(name), specs), STEP_TIMEOUT_MS, 'setBreakpoints')
  }

  /** Where it stops next. */
  async stop(): Promise<Stop> {
    const event = await this.recorder.next('stopped', STEP_TIMEOUT_MS)
    const { frames } = await withTimeout(this.target.stackTrace(event.threadId, 0, 20), STEP_TIMEOUT_MS, 'stackTrace')
    return { ...event, frames, line: frames[0]?.line ?? 0 }
  }

  async go(stop: Stop, mode: ResumeMode = 'continue'): Promise<void> {
    await withTimeout(this.target.resume(stop.threadId, mode), STEP_TIMEOUT_MS, mode)
  }

  /** Goes on and tells where it stops next. */
  async step(stop: Stop, mode: ResumeMode = 'continue'): Promise<Stop> {
    await this.go(stop, mode)
    return this.stop()
  }

  /** Runs a program up to its only breakpoint. */
  async runTo(name: ProgramName, mark: string): Promise<{ stop: Stop; run: Promise<Outcome> }> {
    await this.breakAt(name, mark)
    const run = this.run(name)
    const stop = await this.stop()
    expect(stop).toMatchObject({ reason: 'breakpoint', line: this.line(name, mark) })
    return { stop, run }
  }

  async finish(stop: Stop, run: Promise<Outcome>): Promise<Outcome> {
    await this.go(stop)
    return this.ended(run)
  }

  async value(expression: string, stop: Stop): Promise<string> {
    const { value } = await this.target.evaluate(expression, stop.frames[0]?.id, 'watch')
    return value
  }
}
