import type { ModuleDescription } from '../../catalogue/catalogue.ts'

/** Guard → script thread. A string is JSON of the kernel's `ToScript`, unread by the guard. */
export type ForScript = string | ScriptInit | Run | { t: 'interrupt'; n: number } | { t: 'poke' }

export interface ScriptInit {
  t: 'init'
  catalogue: readonly ModuleDescription[]
}

/** Code ready to evaluate. */
export interface Run {
  t: 'run'
  /** Number of the execution. */
  n: number
  /** JavaScript, positions as in the source unless `map`. */
  code: string
  /** Name of the script in V8: no white space. */
  url: string
  /** Name of the script for people. */
  source: string
  wantResult: boolean
  /** Function declarations over `let` of earlier cells, to be evaluated before the code. */
  preamble?: string
  /** Source map (JSON) when the code had to be transformed. */
  map?: string
  /** The code ends in a declaration: its completion value is an artefact. */
  noValue?: boolean
  /** See `Rewritten.repl`. */
  repl?: boolean
  cwd?: string
  args?: readonly string[]
  drain?: boolean
  as?: number
  /** By which a debugger tells this script from others of the same name. */
  mark?: string
}

/** `seq` 0: may be lost. */
export interface ScriptMessage {
  seq: number
  body: ForScript
}
