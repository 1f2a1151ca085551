import type { Context } from '../context.ts'

/** One `--option`. Boolean unless it names its `value`. */
export interface OptionSpec {
  readonly short?: string
  /** What to call its value in help: `FILE`, `N`, `MS`. */
  readonly value?: string
  readonly choices?: readonly string[]
  readonly number?: 'integer' | 'decimal'
  readonly describe: string
  /** Shown in help only. */
  readonly default?: string
}

export interface PositionalSpec {
  readonly name: string
  readonly describe: string
  readonly required?: boolean
  /** Takes all that is left, also what stands behind `--`. */
  readonly rest?: boolean
  /** For completion in shells. */
  readonly complete?: 'file' | 'kernel' | 'setting'
}

export interface CommandSpec {
  readonly name: string
  /** One line, for lists. */
  readonly summary: string
  /** More paragraphs, for its own help and the reference. */
  readonly details?: string
  readonly positionals?: readonly PositionalSpec[]
  readonly options?: Readonly<Record<string, OptionSpec>>
  readonly commands?: readonly CommandSpec[]
  readonly examples?: readonly string[]
  /** What `--json` prints. */
  readonly json?: string
  /** The module with the work; loaded only when the command runs. Resolves with the exit code. */
  readonly load?: () => Promise<{ run(context: Context): Promise<number> }>
}

/** A command line that was understood. */
export interface Invocation {
  /** From the program itself to the command: `[llmspell, kernel, start]`. */
  readonly path: readonly CommandSpec[]
  readonly command: CommandSpec
  readonly options: Readonly<Record<string, string | boolean>>
  readonly positionals: readonly string[]
}
