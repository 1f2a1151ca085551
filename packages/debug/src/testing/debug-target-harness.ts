import type { DebugTarget } from '../debug-target.ts'
import type { DebugPrograms } from './debug-programs.ts'

export interface DebugTargetHarness {
  programs: DebugPrograms
  /** A fresh namespace whose target nobody has attached to. */
  open(): Promise<DebuggedNamespace>
}

/** One namespace of an engine, as far as the suite drives it. */
export interface DebuggedNamespace {
  readonly target: DebugTarget
  /** Runs a program; `source` is an absolute path, or the name of a cell. Resolves when it has ended; never rejects. */
  run(source: string, code: string): Promise<{ status: 'ok' | 'error' | 'interrupted' }>
  /** What was printed so far, all of it. */
  printed(): string
  /** As the kernel interrupts. */
  interrupt(): Promise<void>
  /** Takes the engine away as a crash does; absent: cannot be done. Resolves when a new one can run programs. */
  lose?(): Promise<void>
  dispose(): Promise<void>
}
