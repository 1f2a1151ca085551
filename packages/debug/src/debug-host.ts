import type { CellNaming } from './cell-naming.ts'
import type { DebugTarget, RenderedValue } from './debug-target.ts'
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
  /** How cells are named (`cellSource`): the kernel gives these names as `debugSource` to the engines. */
  readonly cells: CellNaming
  /**
   * Runs a script in a fresh namespace. Resolves once it is on its way, perhaps before `prepare` was called. Rejects when it cannot start:
   * no such file, unknown language. `signal` gives it up while it has not run.
   */
  launch(options: LaunchOptions, observer: RunObserver, signal: AbortSignal): Promise<DebuggedRun>
  /** Interrupts what runs in that engine. */
  interrupt(engineId: string): Promise<void>
  /** Fresh namespaces (`restart` of an attached session). */
  restart(): Promise<void>
  /** Keeps a cell's code as a file that clients of this user can read (0600), named by `cellSource`; answers its path. */
  dumpCell(code: string): Promise<string>
  /** Text of a cell that ran or was dumped, or of a file. */
  readSource(source: string): Promise<string | undefined>
  /** A value of the namespace as the result of a cell would show it, without debugging it. Rejects with the expression's error. */
  render(engineId: string, expression: string): Promise<RenderedValue>
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
  /** The engine stands ready and nothing has run; the code waits until this resolves, and never runs when it rejects. */
  prepare(engine: DebuggedEngine): Promise<void>
  /** In order, and before the debugger's event of a stop that came after it. */
  output(name: 'stdout' | 'stderr', text: string): void
}

export interface DebuggedRun {
  readonly executionId: string
  /** Never rejects. */
  readonly ended: Promise<{ exitCode: number; error?: { name: string; message: string; traceback: readonly string[] } }>
  /** Interrupts, also while it stands still; a run that does not end within the grace period loses its engine. */
  terminate(): Promise<void>
}
