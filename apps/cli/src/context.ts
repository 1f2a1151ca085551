import type { LlmspellPaths } from '@llmspell/config/paths'
import type { Invocation } from './command-line/spec.ts'
import type { Terminal } from './terminal.ts'

/** What a command works with; nothing else of the process is read or written by commands. */
export interface Context {
  readonly invocation: Invocation
  readonly terminal: Terminal
  readonly env: NodeJS.ProcessEnv
  readonly cwd: string
  readonly paths: LlmspellPaths
  /** Of this program. */
  readonly version: string
}

export function flag(context: Context, name: string): boolean {
  return context.invocation.options[name] === true
}

export function option(context: Context, name: string): string | undefined {
  const value = context.invocation.options[name]
  return typeof value === 'string' ? value : undefined
}

export function integerOption(context: Context, name: string): number | undefined {
  const value = option(context, name)
  return value === undefined ? undefined : Number(value)
}

/** The longest wait a timer can do, 24 days; a longer one would end at once. */
const MAX_TIMER_MS = 2 ** 31 - 1

/** Milliseconds of an option that is given in seconds. */
export function secondsOption(context: Context, name: string): number | undefined {
  const value = option(context, name)
  return value === undefined ? undefined : Math.min(Number(value) * 1_000, MAX_TIMER_MS)
}
