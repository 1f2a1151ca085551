import type { Scope, StackFrame, Variable, VariablesPage } from '@llmspell/debug'
import type { Frame, LuaProbe, Variable as LuaVariable, StackEntry, ThreadPointer } from '@llmspell/lua'
import type { LuaSources } from '../sources.ts'
import { isLuaError, staleReference } from './refusal.ts'

/** A stack deeper than this is read in pieces, and the number of its frames counts hidden ones. */
const WHOLE_STACK = 2_000
const MAX_FRAMES = 10_000
/** Frames of the kernel below those of a script. */
const MOST_FOREIGN = 16

/** Bytes of a string that one request may ask for. */
const MAX_BYTES = 16 * 1024 * 1024

type Kind = 'local' | 'vararg' | 'upvalue' | 'global'

type Handle =
  | { kind: Kind; frame: Frame | undefined }
  | { kind: 'built-in'; frame: Frame | undefined }
  | { kind: 'value'; reference: number; frame: Frame | undefined; path: string | undefined }

interface FrameHandle extends Frame {
  isNative: boolean
}

/** Where a thread stands: it, and those that resumed it. */
export type Chain = readonly ThreadPointer[]

/**
 * What is seen of a program: frames, scopes and variables, by numbers that are good until `clear` and never given again.
 * The host's own frames are left out at the bottom of a stack, and shown as those of a library elsewhere.
 */
export class ProgramView {
  readonly #probe: LuaProbe
  readonly #sources: LuaSources
  readonly #handles = new Map<number, Handle>()
  readonly #strings = new Map<string, number>()
  readonly #frames = new Map<number, FrameHandle>()
  readonly #frameIds = new Map<string, number>()
  #next = 1

  constructor(probe: LuaProbe, sources: LuaSources) {
    this.#probe = probe
    this.#sources = sources
  }

  /** The program goes on. */
  clear(): void {
    if (this.#handles.size === 0 && this.#strings.size === 0 && this.#frames.size === 0) return
    this.forget()
    try {
      this.#probe.clear()
    } catch (error) {
      // What stops the script at once stops this, too: then the next time.
      if (!isLuaError(error)) throw error
    }
  }

  /** The memory has become another: nothing to tell it. */
  forget(): void {
    this.#handles.clear()
    this.#strings.clear()
    this.#frames.clear()
    this.#frameIds.clear()
  }

  // ---- stack ----

  stack(chain: Chain, start: number, levels: number): { frames: StackFrame[]; total: number } {
    const wanted = levels <= 0 ? MAX_FRAMES : Math.min(levels, MAX_FRAMES)
    const depth = chain.reduce((sum, thread) => sum + this.#probe.depth(thread), 0)
    const top = this.#entries(chain, 0, Math.min(depth, WHOLE_STACK))
    const bottom = depth > WHOLE_STACK ? this.#entries(chain, depth - MOST_FOREIGN, MOST_FOREIGN) : top
    // Such as that of `error`, which has raised what the script stands still for.
    const skipped = top.findIndex(({ entry }) => !isForeign(entry))
    if (skipped < 0) return { frames: [], total: 0 }
    const last = bottom.findLastIndex(({ entry }) => !isForeign(entry))
    const end = depth - (bottom.length - 1 - last)
    const from = Math.min(start + skipped, end)
    const count = Math.min(wanted, end - from)
    const page = from + count <= top.length ? top.slice(from, from + count) : this.#entries(chain, from, count)
    return { frames: page.map(({ thread, entry }) => this.#frame(thread, entry)), total: end - skipped }
  }

  /** Some of the frames of all the threads, which are one stack. */
  #entries(chain: Chain, start: number, count: number): { thread: ThreadPointer; entry: StackEntry }[] {
    const found: { thread: ThreadPointer; entry: StackEntry }[] = []
    let above = start
    for (const thread of chain) {
      const left = count - found.length
      if (left <= 0) break
      const { entries, total } = this.#probe.stack(thread, above, left)
      for (const entry of entries) found.push({ thread, entry })
      above = Math.max(above - total, 0)
    }
    return found
  }

  #frame(thread: ThreadPointer, entry: StackEntry): StackFrame {
    const isNative = isForeign(entry)
    const source = this.#sources.name(entry.origin)
    return {
      id: this.#frameId(thread, entry.level, isNative),
      name: nameOf(entry),
      line: isNative ? 0 : Math.max(entry.line, 0),
      column: isNative ? 0 : 1,
      hint: isNative ? 'subtle' : 'normal',
      ...(!isNative && source !== undefined && { source }),
    }
  }

  #frameId(thread: ThreadPointer, level: number, isNative: boolean): number {
    const key = `${thread}:${level}`
    let id = this.#frameIds.get(key)
    if (id === undefined) {
      id = this.#next++
      this.#frameIds.set(key, id)
      this.#frames.set(id, { thread, level, isNative })
    }
    return id
  }

  frame(id: number): Frame {
    const frame = this.#frames.get(id)
    if (!frame) throw staleReference('this frame')
    return frame
  }

  /** The innermost of the script's own. */
  top(chain: Chain): Frame | undefined {
    const [frame] = this.stack(chain, 0, 1).frames
    return frame && this.frameOf(frame.id)
  }

  /** Undefined stays so: among the globals. A native frame has no variables of its own either. */
  frameOf(id: number | undefined): Frame | undefined {
    if (id === undefined) return undefined
    return this.#frames.get(id)?.isNative ? undefined : this.frame(id)
  }

  // ---- variables ----

  scopes(frameId: number): Scope[] {
    const frame = this.frameOf(frameId)
    const scopes: Scope[] = []
    if (frame) {
      const { locals, varargs, upvalues } = this.#probe.frameShape(frame)
      scopes.push({ name: 'Locals', hint: 'locals', reference: this.#add({ kind: 'local', frame }), named: locals, expensive: false })
      if (varargs > 0)
        scopes.push({
          name: 'Varargs',
          hint: 'arguments',
          reference: this.#add({ kind: 'vararg', frame }),
          indexed: varargs,
          expensive: false,
        })
      if (upvalues > 0)
        scopes.push({ name: 'Upvalues', reference: this.#add({ kind: 'upvalue', frame }), named: upvalues, expensive: false })
    }
    scopes.push(this.globals(frame))
    return scopes
  }

  globals(frame?: Frame): Scope {
    return { name: 'Globals', hint: 'globals', reference: this.#add({ kind: 'global', frame }), expensive: true }
  }

  variables(reference: number, page: VariablesPage): Variable[] {
    const handle = this.#handles.get(reference)
    if (!handle) throw staleReference('this value')
    const { frame } = handle
    if (handle.kind === 'value') {
      const found = this.#probe.expand(handle.reference, page)
      if (!found) throw staleReference('this value')
      return found.map((variable) => this.show(variable, frame, inside(handle.path, variable.name)))
    }
    const shown = this.#read(handle, page).map((variable) => this.show(variable, frame, evaluateName(handle.kind, variable.name)))
    const isLast = page.count === undefined || page.count <= 0 || shown.length < page.count
    if (handle.kind === 'global' && frame && isLast && page.filter !== 'indexed') shown.push(this.#builtIn(frame))
    return shown
  }

  #read(handle: Exclude<Handle, { kind: 'value' }>, page: VariablesPage): LuaVariable[] {
    const { kind, frame } = handle
    if (kind === 'global') return this.#readGlobals(frame, page)
    if (kind === 'built-in') return page.filter === 'indexed' ? [] : this.#probe.globals(frame, false, page)
    if (!frame) return []
    if (kind === 'vararg') return page.filter === 'named' ? [] : this.#probe.varargs(frame, page)
    if (page.filter === 'indexed') return []
    return slice(kind === 'local' ? this.#probe.locals(frame) : this.#probe.upvalues(frame), page)
  }

  #readGlobals(frame: Frame | undefined, page: VariablesPage): LuaVariable[] {
    return page.filter === 'indexed' ? [] : this.#probe.globals(frame, true, page)
  }

  /** Behind what scripts made, in the globals of a frame. */
  #builtIn(frame: Frame): Variable {
    const reference = this.#add({ kind: 'built-in', frame })
    return { name: '[[built-in]]', value: '', reference, hint: { kind: 'virtual' } }
  }

  show(variable: LuaVariable, frame: Frame | undefined, path: string | undefined): Variable {
    const { name, value, type, reference, indexed, named, memory } = variable
    return {
      name,
      value,
      type,
      // No expression leads to what a function has kept.
      reference: reference === 0 ? 0 : this.#add({ kind: 'value', reference, frame, path: type === 'function' ? undefined : path }),
      ...(indexed !== undefined && { indexed }),
      ...(named !== undefined && { named }),
      ...(path !== undefined && { evaluateName: path }),
      ...(memory !== undefined && { memoryReference: this.#addString(memory) }),
      ...(name.startsWith('[[') && { hint: { kind: 'virtual' } }),
    }
  }

  setVariable(reference: number, name: string, source: string): Variable {
    const handle = this.#handles.get(reference)
    if (!handle) throw staleReference('this value')
    const { kind, frame } = handle
    if (kind === 'value') return this.show(this.#probe.setInside(handle.reference, name, source, frame), frame, inside(handle.path, name))
    const set = this.#probe.setVariable(kind === 'built-in' ? 'global' : kind, frame, name, source)
    return this.show(set, frame, evaluateName(kind, name))
  }

  readMemory(memoryReference: string, offset: number, count: number): { data: Uint8Array; unreadable: number } {
    const reference = this.#strings.get(memoryReference)
    if (reference === undefined) throw staleReference('this string')
    const wanted = Math.max(0, Math.min(count, MAX_BYTES))
    const skipped = offset < 0 ? Math.min(-offset, wanted) : 0
    const found = offset < 0 && skipped === wanted ? undefined : this.#probe.bytes(reference, Math.max(offset, 0), wanted - skipped)
    const data = found?.data ?? new Uint8Array()
    return { data: new Uint8Array(data), unreadable: count - data.length }
  }

  #add(handle: Handle): number {
    const id = this.#next++
    this.#handles.set(id, handle)
    return id
  }

  #addString(reference: number): string {
    const id = `lua-string-${this.#next++}`
    this.#strings.set(id, reference)
    return id
  }
}

/** Of C, or of the engine's own Lua code. */
function isForeign(entry: StackEntry | undefined): boolean {
  return entry === undefined || entry.what === 'C' || entry.origin < 0
}

/** Tracebacks of the engine call the main chunk so: see prelude.lua. */
const MAIN_CHUNK = 'llmspell_main_chunk'

function nameOf({ name, what, first_line }: StackEntry): string {
  if (what === 'main' || name === MAIN_CHUNK) return 'main chunk'
  if (name !== '?') return name
  return what === 'C' ? 'built-in function' : `function at line ${first_line}`
}

function slice<T>(list: readonly T[], { start = 0, count }: VariablesPage): T[] {
  return list.slice(start, count === undefined || count <= 0 ? undefined : start + count)
}

const NAME = /^[A-Za-z_]\w*$/

function evaluateName(kind: Handle['kind'], name: string): string | undefined {
  if (kind === 'vararg') return `(select(${name.slice(1, -1)}, ...))`
  if (NAME.test(name)) return name
  return kind === 'global' && name.startsWith('[') ? `_G${name}` : undefined
}

/** `[1]`, `["a b"]`, `[true]`: what a key is called is what Lua calls it, unless it was cut or is a table. */
const LITERAL_KEY = /^\[(?:-?\d[\w.+-]*|"(?:[^"\\…]|\\.)*"|true|false)\]$/

function inside(path: string | undefined, name: string): string | undefined {
  if (path === undefined) return undefined
  if (name === '[[metatable]]') return `getmetatable(${path})`
  if (NAME.test(name)) return `${path}.${name}`
  return LITERAL_KEY.test(name) ? `${path}${name}` : undefined
}
