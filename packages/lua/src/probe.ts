import { readFileSync } from 'node:fs'
import type { ThreadPointer } from './event.ts'
import type { Frame, LuaInspector } from './inspector.ts'
import type { LuaFunction } from './values.ts'
import type { LuaVM } from './vm.ts'

export interface StackEntry {
  level: number
  name: string
  /** `local`, `global`, `method`, `field`, `upvalue` or empty. */
  kind: string
  /** `Lua`, `C` or `main`. */
  what: string
  /** As messages show it. */
  source: string
  /** -1 when unknown. */
  line: number
  first_line: number
  last_line: number
  /** Number of the source; 0: none was given. */
  origin: number
  tail_call: boolean
}

export interface Variable {
  name: string
  type: string
  /** One line of text, bounded. */
  value: string
  /** For `expand`, until `clear`; 0: nothing inside. */
  reference: number
  /** Of a table: its sequence, and everything else. */
  indexed?: number
  named?: number
  /** Of a string: for `bytes`, until `clear`, and how many there are. */
  memory?: number
  bytes?: number
}

export interface Evaluated extends Variable {
  /** Statements, or a call without results. */
  none?: true
}

/** An error of evaluated code, as text. */
export class EvaluationError extends Error {
  override readonly name: string = 'EvaluationError'
}

export interface Page {
  filter?: 'indexed' | 'named' | undefined
  start?: number | undefined
  count?: number | undefined
}

export interface Thrown {
  text: string
  /** Of errors that are tables with a `code`. */
  code?: string
  /** The host function that failed. */
  call?: string
  /** When the error value is no text. */
  variable?: Variable
}

/**
 * What a debugger asks about a program that stands still or idles: stack, variables, evaluation. A frame stays good while its thread
 * stands still.
 */
export class LuaProbe {
  readonly #vm: LuaVM
  readonly #thread: ThreadPointer
  readonly #functions: Record<string, LuaFunction>

  /** `isBuiltin` (name, value) tells the globals that are not the user's. */
  constructor(vm: LuaVM, inspector: LuaInspector, isBuiltin: LuaFunction) {
    this.#vm = vm
    this.#thread = vm.newThread()
    const source = readFileSync(new URL('../lua/probe.lua', import.meta.url))
    const outer = vm.control.origin
    vm.control.origin = -1
    const chunk = vm.load(source, '=(probe)')
    vm.control.origin = outer
    this.#functions = inspector.extend(chunk, vm.probe(), isBuiltin) as Record<string, LuaFunction>
    chunk.release()
  }

  /** The thread it works on: no coroutine of the program. */
  get thread(): ThreadPointer {
    return this.#thread
  }

  // ---- stack and variables ----

  /** Frames from the inner to the outer, and how many there are. */
  stack(thread: ThreadPointer, first: number, count: number): { entries: StackEntry[]; total: number } {
    const [entries, total] = this.#ask('stack', this.#vm.threadValue(thread), first, count)
    return { entries: list(entries), total: total as number }
  }

  depth(thread: ThreadPointer): number {
    return this.#ask('depth', this.#vm.threadValue(thread))[0] as number
  }

  locals(frame: Frame): Variable[] {
    return list(this.#ask('locals', ...this.#frame(frame))[0])
  }

  varargs(frame: Frame, { start, count }: Page): Variable[] {
    return list(this.#ask('varargs', ...this.#frame(frame), start, count)[0])
  }

  upvalues(frame: Frame): Variable[] {
    return list(this.#ask('upvalues', ...this.#frame(frame))[0])
  }

  /** Globals as the frame sees them: those of the user, or the others. */
  globals(frame: Frame | undefined, users: boolean, { start, count }: Page): Variable[] {
    return list(this.#ask('globals', ...this.#frame(frame), users, start, count)[0])
  }

  globalCount(frame: Frame | undefined): number {
    return this.#ask('global_count', ...this.#frame(frame))[0] as number
  }

  frameShape(frame: Frame): { locals: number; varargs: number; upvalues: number } {
    const [locals, varargs, upvalues] = this.#ask('frame_shape', ...this.#frame(frame)) as [number, number, number]
    return { locals, varargs, upvalues }
  }

  /** What is inside a value: at most 10 000 entries. undefined: no such reference. */
  expand(reference: number, { filter, start, count }: Page): Variable[] | undefined {
    const [entries] = this.#ask('expand', reference, filter, start, count)
    return entries === undefined ? undefined : list(entries)
  }

  /** Bytes of a string and its length. undefined: no such reference. */
  bytes(reference: number, offset: number, count: number): { data: Uint8Array; length: number } | undefined {
    const [data, length] = this.#ask('bytes', reference, offset, count)
    if (length === undefined) return undefined
    return { data: typeof data === 'string' ? new TextEncoder().encode(data) : (data as Uint8Array), length: length as number }
  }

  /** Forgets the references of variables: call it when code goes on. */
  clear(): void {
    this.#ask('clear')
  }

  // ---- evaluation ----

  /** Runs an expression or statements in a frame; without one, among the globals. `whole`: the text is not shortened to one line. */
  evaluate(source: string, frame: Frame | undefined, whole = false): Evaluated {
    return evaluated(this.#ask('evaluate', ...this.#frame(frame), source, whole))
  }

  /** An expression of names, fields and operators: what could run code of the program is refused. */
  evaluateQuietly(source: string, frame: Frame | undefined): Evaluated {
    return evaluated(this.#ask('evaluate_quietly', ...this.#frame(frame), source))
  }

  /** What `make` makes of the value of an expression. */
  render(source: string, frame: Frame | undefined, make: LuaFunction): unknown {
    const [made, message] = this.#ask('render', ...this.#frame(frame), source, make)
    if (made === undefined) throw new EvaluationError(textOf(message))
    return made
  }

  /** The value of an expression as a log message shows it; never fails. */
  logPart(source: string, frame: Frame): string {
    return textOf(this.#ask('log_part', ...this.#frame(frame), source)[0])
  }

  setVariable(kind: 'local' | 'vararg' | 'upvalue' | 'global', frame: Frame | undefined, name: string, source: string): Variable {
    return evaluated(this.#ask(`set_${kind}`, ...this.#frame(frame), name, source))
  }

  setInside(reference: number, name: string, source: string, frame: Frame | undefined): Variable {
    return evaluated(this.#ask('set_inside', reference, name, source, ...this.#frame(frame)))
  }

  assign(target: string, source: string, frame: Frame | undefined): Variable {
    return evaluated(this.#ask('assign', ...this.#frame(frame), target, source))
  }

  /** Whether a condition holds; an error text when it cannot be evaluated. Compiled once for each id, which stands for one instruction. */
  condition(id: number, frame: Frame, source: string): boolean | string {
    const { thread, level } = frame
    const address = this.#vm.threadValue(thread)
    const known = this.#ask('condition', id, address, level)[0]
    const result = known ?? this.#ask('condition', id, address, level, source)[0]
    return typeof result === 'boolean' ? result : textOf(result)
  }

  forgetCondition(id: number): void {
    this.#ask('forget_condition', id)
  }

  // ---- errors, threads, functions ----

  /** Inside an exception event: will the program catch the error? `chain`: as `vm.threadChain` gives it. */
  isCaught(chain: readonly ThreadPointer[]): boolean {
    return this.#ask(
      'is_caught',
      chain.map((pointer) => this.#vm.threadValue(pointer)),
    )[0] as boolean
  }

  /** Inside an exception event: what is being raised. */
  thrown(thread: ThreadPointer): Thrown {
    const thrown = this.#ask('thrown', this.#vm.threadValue(thread))[0] as Thrown
    return { ...thrown, text: textOf(thrown.text) }
  }

  /** Where the function of a coroutine is; below 0: it is of the host's own code. */
  threadText(thread: ThreadPointer): { text: string; origin: number } | undefined {
    const [text, origin] = this.#ask('thread_text', this.#vm.threadValue(thread))
    return text === undefined ? undefined : { text: textOf(text), origin: (origin as number | undefined) ?? 0 }
  }

  /** Puts function breakpoint `bit` on the function that a path from the globals leads to. undefined: it leads to nothing. */
  findFunction(path: readonly string[], bit: number): 'function' | 'built-in' | 'other' | undefined {
    return this.#ask('find_function', path, bit)[0] as 'function' | 'built-in' | 'other' | undefined
  }

  #frame(frame: Frame | undefined): unknown[] {
    return frame ? [this.#vm.threadValue(frame.thread), frame.level] : [undefined, undefined]
  }

  #ask(name: string, ...args: unknown[]): unknown[] {
    const callee = this.#functions[name]
    if (!callee) throw new Error(`probe.lua has no function ${name}`)
    return this.#vm.call(callee, args, { thread: this.#thread, quiet: true })
  }
}

function evaluated([found, message]: unknown[]): Evaluated {
  if (found === undefined) throw new EvaluationError(textOf(message))
  return found as Evaluated
}

/** An empty Lua table comes as an object. */
function list<T>(value: unknown): T[] {
  return Array.isArray(value) ? (value as T[]) : []
}

/** Text that is no UTF-8 comes as bytes. */
function textOf(value: unknown): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString() : String(value)
}
