import type { DebugTarget } from './debug-target.ts'
import type { Language } from './language.ts'

/** An engine as the kernel knows it. */
export interface DebuggedEngine {
  /** Unique in the kernel, never used twice. */
  readonly id: string
  /** `Lua`, `TypeScript x.ts`: what a thread list shows. */
  readonly name: string
  readonly languages: readonly Language[]
  /** `shared`: of cells, `exec`, the REPL. `fresh`: of one run. */
  readonly namespace: 'shared' | 'fresh'
  readonly target: DebugTarget
}

/** What a debugger needs of its kernel. */
export interface DebugHost {
  /** Runs a script in a fresh namespace. Rejects when it cannot start: no such file, unknown language. */
  launch(options: LaunchOptions, observer: RunObserver): Promise<DebuggedRun>
  /** Interrupts what runs in that engine. */
  interrupt(engineId: string): Promise<void>
  /** Fresh namespaces (`restart` of an attached session). */
  restart(): Promise<void>
}

export interface LaunchOptions {
  /** Absolute path. */
  program: string
  language?: Language
  args?: readonly string[]
  cwd?: string
  /** Added to the kernel's; null removes. */
  env?: Readonly<Record<string, string | null>>
}

/** What a session wants to know of the run that it launched. */
export interface RunObserver {
  /** The engine stands ready and nothing has run; the code waits until this resolves. */
  prepare(engine: DebuggedEngine): Promise<void>
  output(name: 'stdout' | 'stderr', text: string): void
}

export interface DebuggedRun {
  readonly executionId: string
  /** Never rejects. */
  readonly ended: Promise<{ exitCode: number; error?: { name: string; message: string; traceback: readonly string[] } }>
  /** Interrupts; a run that does not end within the grace period loses its engine. */
  terminate(): Promise<void>
}
