import { type CodecHost, Decoder, Encoder, Internal, ThreadAddress } from './codec.ts'
import { LuaControl } from './control.ts'
import { LuaCrash, LuaError, LuaExit, LuaInterrupted, LuaMemoryError, LuaStatus, LuaSyntaxError } from './errors.ts'
import type { LuaModule } from './module.ts'
import { LuaSystem, type SystemOptions } from './system.ts'
import { HostFunction, LuaFunction, type LuaReference, LuaResults, YIELD } from './values.ts'
import { PAGE, type WasmGlobal, type WasmMemory, webAssembly } from './web-assembly.ts'

export interface LuaOptions extends SystemOptions {
  /** Where the state lives. Default: a fresh one, shared when the module is, of at most `maximumMemory`. */
  memory?: WasmMemory
  /**
   * Bytes of Lua heap; default 0, no limit of its own. Exact: at the limit Lua collects, then raises `not enough memory`.
   * A call after one that ended so may use 256 KiB more than what is in use: to free something takes memory, too.
   */
  memoryLimit?: number
  /** Bytes of linear memory when no `memory` is given; default 4 GiB, the most there can be. Fragmentation stays below it. */
  maximumMemory?: number
  /** Called at safe points after `control.attention()`, and by the debugger. Default: go on. */
  onEvent?: (event: LuaEvent) => EventResult
}

/**
 * `attention`: another thread asked for it. `breakpoint`, `step`: before the first instruction of `line` runs.
 * `exception`: an error is being raised (`status`); the stack that raised it is alive.
 * While the handler runs, Lua stands still: block as long as needed, look around on a thread of your own, call `vm.step`.
 */
export interface LuaEvent {
  readonly kind: 'attention' | 'breakpoint' | 'step' | 'exception'
  /** Line for breakpoint and step. */
  readonly line: number
  /** Status for exception. */
  readonly status: number
  /** The thread that stands still. */
  readonly thread: ThreadPointer
}

/** `interrupt` raises an error `interrupted` that the script may catch; `interrupt-hard` one that it cannot keep. */
export type EventResult = 'continue' | 'interrupt' | 'interrupt-hard' | 'yield'

export type StepMode = 'run' | 'in' | 'over' | 'out'

/** Address of a Lua thread. */
export type ThreadPointer = number

/** A function for Lua to call. It states what it expects; what comes is what the script gives. Whatever it throws becomes a Lua error. */
export type HostCallback = (...args: never[]) => unknown

export interface CallOptions {
  /** `values` (default) decodes the results, `text` gives `tostring` of each, `none` drops them. */
  results?: 'values' | 'text' | 'none'
  /** Run on this thread instead of the running one. */
  thread?: ThreadPointer
  /** No breakpoints, steps and exception events meanwhile. */
  quiet?: boolean
}

/** A copy of an idle state: see `vm.snapshot`. Plain data. */
export interface LuaSnapshot {
  readonly module: string
  readonly bytes: Uint8Array
  readonly stackPointer: number
  readonly mainThread: ThreadPointer
  /** Names of host functions and types by id: bind the same names after restoring. */
  readonly functions: readonly string[]
  readonly types: readonly string[]
  readonly memoryLimit: number
  readonly nextHandle: number
  readonly nextDescriptor: number
}

interface Exports {
  __stack_pointer: WasmGlobal
  _initialize(): void
  lw_new_state(): number
  lw_new_thread(): number
  lw_main_thread(): number
  lw_running_thread(): number
  lw_parent_thread(thread: number): number
  lw_control_block(): number
  lw_call(thread: number, message: number, count: number, results: number): number
  lw_arguments(thread: number, count: number): void
  lw_push(thread: number, message: number, count: number): void
  lw_push_nil(thread: number): void
  lw_push_boolean(thread: number, value: number): void
  lw_push_number(thread: number, value: number): void
  lw_unref(thread: number, reference: number): void
  lw_malloc(size: number): number
  lw_free(address: number): void
  lw_flush(): void
  lw_flush_all(): void
  lw_set_breakpoints(name: number, length: number, lines: number, count: number): number
  lw_clear_breakpoints(): void
  lw_breakable_lines(name: number, length: number, count: number): number
  lw_step(thread: number, mode: number): void
}

/** Functions of wasm/c/internals.c. */
const INTERNAL = { load: new Internal(0), type: new Internal(1), global: new Internal(2), seed: new Internal(3), get: new Internal(4) }

const HOST = { error: -1, yield: -2, interrupt: -3, message: -4 }
const RESULTS = { values: 0, text: 1, none: 2 }
const EVENT_KINDS = ['attention', 'breakpoint', 'step', 'exception'] as const
const EVENT_RESULTS = { continue: 0, interrupt: 1, 'interrupt-hard': 2, yield: 3 }
const STEP_MODES = { run: 0, in: 1, over: 2, out: 3 }

/** coroutine.wrap and error put a position before the message. */
const INTERRUPTED = /(?:^|: )interrupted$/

const HEADROOM = 256 << 10

const INITIAL_PAGES = 24
const MAXIMUM_PAGES = 65536
const MESSAGE_CAPACITY = 4096

/** One Lua state. Synchronous: a call returns when Lua is done. Put it in a worker thread to interrupt it from outside. */
export class LuaVM {
  readonly memory: WasmMemory
  readonly control: LuaControl
  /** Address of the control block: `new LuaControl(memory, controlAddress)` in another thread. */
  readonly controlAddress: number
  readonly system: LuaSystem
  readonly mainThread: ThreadPointer
  /** Handler of attention and debug events; may be replaced. */
  onEvent: (event: LuaEvent) => EventResult
  readonly #module: LuaModule
  readonly #exports: Exports
  readonly #encoder: Encoder
  readonly #decoder: Decoder
  readonly #functions: (HostCallback | undefined)[] = []
  readonly #functionIds: Map<string, number> = new Map()
  readonly #typeIds: Map<string, number> = new Map()
  readonly #objects: Map<number, { object: object; uses: number }> = new Map()
  #handles: WeakMap<object, { handle: number; type: number }> = new WeakMap()
  #nextHandle = 0
  #bytes: Buffer
  #view: DataView
  /** A message area for each nested call: one must stay whole until C has decoded it, and decoding can run finalizers. */
  readonly #areas: { address: number; capacity: number }[] = []
  #depth = 0
  #crash: LuaCrash | undefined
  #memoryLimit: number
  #ranOutOfMemory = false
  #callbackError: { error: unknown } | undefined
  readonly #released: number[] = []
  readonly #registry: FinalizationRegistry<number>

  /** Makes a state with the standard library opened. */
  static create(module: LuaModule, options: LuaOptions = {}): LuaVM {
    return new LuaVM(module, options, undefined)
  }

  /** Makes a state that goes on where the snapshot was taken. Host functions and types must be registered again, by the same names. */
  static restore(module: LuaModule, snapshot: LuaSnapshot, options: LuaOptions = {}): LuaVM {
    if (snapshot.module !== module.hash)
      throw new Error(
        `the snapshot was taken with another build of Lua (${snapshot.module.slice(0, 12)}, this is ${module.hash.slice(0, 12)})`,
      )
    return new LuaVM(module, options, snapshot)
  }

  private constructor(module: LuaModule, options: LuaOptions, snapshot: LuaSnapshot | undefined) {
    this.#module = module
    this.memory = options.memory ?? newMemory(module, options, snapshot)
    this.#bytes = Buffer.from(this.memory.buffer)
    this.#view = new DataView(this.memory.buffer)
    this.onEvent = options.onEvent ?? (() => 'continue')
    this.#registry = new FinalizationRegistry((reference) => this.#released.push(reference))
    const host: CodecHost = {
      objectHandle: (value) => this.#use(value),
      object: (handle) => this.#object(handle),
      hasFunction: ({ id, name }) => this.#functionIds.get(name) === id,
      references: {
        track: (reference) => this.#registry.register(reference, reference.reference, reference),
        release: (reference) => {
          this.#registry.unregister(reference)
          this.#released.push(reference.reference)
        },
      },
    }
    this.#encoder = new Encoder(host)
    this.#decoder = new Decoder(host)
    this.system = new LuaSystem(this.memory, options)
    const imports = this.system.imports()
    const instance = new webAssembly.Instance(module.module, {
      env: { memory: this.memory },
      wasi_snapshot_preview1: imports.wasi_snapshot_preview1,
      lua_host: {
        ...imports.lua_host,
        host_call: (thread: number, id: number, count: number) => this.#hostCall(thread, id, count),
        host_event: (thread: number, kind: number, line: number) => this.#event(thread, kind, line),
        host_release: (handle: number) => this.#releaseHandle(handle),
      },
    })
    this.#exports = instance.exports as unknown as Exports
    this.system.emptyBuffer = () => this.#exports.lw_flush()
    this.system.failed = (error) => this.#failed(error)
    if (snapshot) this.#load(snapshot)
    else this.#exports._initialize()
    this.controlAddress = this.#exports.lw_control_block() >>> 0
    this.control = new LuaControl(this.memory, this.controlAddress)
    if (snapshot) {
      this.control.clearSignal()
      this.control.clearExit()
      this.control.catching = false
      this.#exports.lw_clear_breakpoints()
      this.mainThread = snapshot.mainThread
    } else {
      this.mainThread = this.#newState()
    }
    this.#memoryLimit = options.memoryLimit ?? snapshot?.memoryLimit ?? 0
    this.control.limit = this.#memoryLimit
    if (snapshot) this.#perform(INTERNAL.seed, [...crypto.getRandomValues(new BigInt64Array(2))])
  }

  #newState(): ThreadPointer {
    try {
      const thread = this.#exports.lw_new_state() >>> 0
      if (thread !== 0) return thread
    } catch (cause) {
      // Without an error handler yet, the C side can only trap.
      throw new LuaMemoryError('not enough memory for a Lua state', { status: LuaStatus.memory, cause })
    }
    throw new LuaMemoryError('not enough memory for a Lua state', { status: LuaStatus.memory })
  }

  /** Bytes of Lua heap allowed; 0: no limit. May be changed while no Lua code runs. */
  get memoryLimit(): number {
    return this.#memoryLimit
  }

  set memoryLimit(bytes: number) {
    this.#memoryLimit = bytes
    this.control.limit = bytes
  }

  // ---- running code ----

  /**
   * Compiles a chunk. `chunkName` is what errors and breakpoints call it: `@path` for files, `=name` for other names.
   * Throws LuaSyntaxError. Binary chunks are refused.
   */
  load(source: string | Uint8Array, chunkName = '=(load)'): LuaFunction {
    const [chunk, message, status] = this.#perform(INTERNAL.load, [source, chunkName])
    if (chunk instanceof LuaFunction) return chunk
    const text = String(message)
    if (status === LuaStatus.memory) throw this.#outOfMemory(text)
    throw new LuaSyntaxError(text, isIncomplete(text))
  }

  /** Calls a function. Throws LuaError, LuaMemoryError, LuaInterrupted, LuaExit or LuaCrash. */
  call(callee: LuaFunction | HostFunction, args: readonly unknown[] = [], options: CallOptions = {}): unknown[] {
    return this.#perform(callee, args, options)
  }

  /** Compiles and runs a chunk; returns its results. */
  execute(source: string | Uint8Array, chunkName?: string, options?: CallOptions): unknown[] {
    const chunk = this.load(source, chunkName)
    try {
      return this.call(chunk, [], options)
    } finally {
      chunk.release()
    }
  }

  #perform(callee: LuaReference | HostFunction | Internal, args: readonly unknown[], options: CallOptions = {}): unknown[] {
    if (this.#crash) throw this.#crash
    const outermost = this.#depth === 0
    if (outermost) this.#begin()
    this.#drainReleased()
    const message = this.#write(this.#encoder.encode([callee, ...args]))
    let status: number
    const resume = options.quiet ? this.control.pauseDebugger() : undefined
    this.#depth++
    try {
      status = this.#exports.lw_call(options.thread ?? 0, message, args.length + 1, RESULTS[options.results ?? 'values'])
    } catch (error) {
      throw this.#crashed(error)
    } finally {
      this.#depth--
      resume?.()
    }
    const values = this.#take(this.control.outCount)
    const failure = status === 0 && this.control.exitCode === undefined ? undefined : this.#failure(status, values)
    if (outermost) this.#end()
    if (failure) throw failure
    return values
  }

  #begin(): void {
    // A hard interrupt from before this call was meant for something that has ended.
    if (this.control.signal === 2) this.control.clearSignal()
    this.control.interrupted = false
    if (this.#ranOutOfMemory) this.#giveHeadroom()
  }

  #giveHeadroom(): void {
    const wanted = this.control.used + HEADROOM
    this.#ranOutOfMemory = wanted > this.#memoryLimit
    this.control.limit = Math.max(this.#memoryLimit, wanted)
  }

  #end(): void {
    if (this.control.signal === 2) this.control.clearSignal()
    this.control.clearExit()
    const failed = this.#callbackError
    this.#callbackError = undefined
    if (failed) throw failed.error
  }

  #failure(status: number, [value, text, traceback]: unknown[]): Error {
    const exitCode = this.control.exitCode
    const interrupted = this.control.interrupted && typeof value === 'string' && INTERRUPTED.test(value)
    if (exitCode !== undefined) return new LuaExit(exitCode)
    const trace = typeof traceback === 'string' ? tidyTraceback(traceback) : undefined
    if (interrupted) return new LuaInterrupted(trace)
    const message = String(text ?? value)
    if (status === LuaStatus.memory) return this.#outOfMemory(message)
    return new LuaError(message, { value, status, traceback: trace })
  }

  #outOfMemory(message: string): LuaMemoryError {
    this.#ranOutOfMemory = this.#memoryLimit > 0
    return new LuaMemoryError(message, { status: LuaStatus.memory })
  }

  #crashed(error: unknown): Error {
    this.#crash = new LuaCrash(`the Lua state is lost: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
    return this.#crash
  }

  // ---- host functions and objects ----

  /**
   * Registers a function under a name and returns it as a value for `call`, `setGlobal` and results of other host functions.
   * Registering a name again replaces the function everywhere. It is called synchronously; what it returns becomes the result
   * (see LuaResults for several), what it throws becomes a Lua error: a LuaError its `value`, anything else its message
   * with the position in the script.
   */
  function(name: string, callback: HostCallback): HostFunction {
    let id = this.#functionIds.get(name)
    if (id === undefined) {
      id = this.#functionIds.size
      this.#functionIds.set(name, id)
    }
    this.#functions[id] = callback
    return new HostFunction(id, name)
  }

  setGlobal(name: string, value: unknown): void {
    this.#perform(INTERNAL.global, [name, value])
  }

  getGlobal(name: string): unknown {
    return this.#perform(INTERNAL.get, [name])[0]
  }

  /** Calls `define` (a Lua function) with the metatable that objects of a type share. `__gc` and `__eq` are taken. */
  defineType(type: string, define: LuaFunction): void {
    this.#perform(INTERNAL.type, [this.#typeId(type), define])
  }

  /**
   * Registers an object so that it crosses as itself: a userdata in Lua, the object again when it comes back. Objects of a type
   * share a metatable (see defineType). It is kept here until Lua has collected every userdata made of it.
   */
  object<T extends object>(object: T, type = 'object'): T {
    this.#handles.set(object, { handle: this.#nextHandle++, type: this.#typeId(type) })
    return object
  }

  /** Host objects that Lua holds. */
  get hostObjects(): number {
    return this.#objects.size
  }

  #functionName(id: number): string {
    for (const [name, known] of this.#functionIds) if (known === id) return name
    return `#${id}`
  }

  #typeId(name: string): number {
    let id = this.#typeIds.get(name)
    if (id === undefined) {
      id = this.#typeIds.size + 1
      this.#typeIds.set(name, id)
    }
    return id
  }

  #use(object: object): { handle: number; type: number } | undefined {
    const known = this.#handles.get(object)
    if (!known) return undefined
    const entry = this.#objects.get(known.handle)
    if (entry) entry.uses++
    else this.#objects.set(known.handle, { object, uses: 1 })
    return known
  }

  #object(handle: number): object {
    const entry = this.#objects.get(handle)
    if (!entry) throw new LuaError('the host object is gone')
    return entry.object
  }

  #releaseHandle(handle: number): void {
    const entry = this.#objects.get(handle)
    if (entry && --entry.uses === 0) this.#objects.delete(handle)
  }

  #hostCall(thread: number, id: number, count: number): number {
    this.#depth++
    try {
      const callback = this.#functions[id]
      if (!callback) throw new LuaError(`host function '${this.#functionName(id)}' is not available here`)
      const result = callback(...((count === 0 ? [] : this.#arguments(thread, count)) as never[]))
      if (result === YIELD) return HOST.yield
      if (result instanceof LuaResults) return this.#push(thread, result.values)
      if (result instanceof Promise)
        throw new TypeError(`host function '${this.#functionName(id)}' returned a promise; calls from Lua are synchronous`)
      return this.#pushOne(thread, result)
    } catch (error) {
      return this.#raise(thread, error)
    } finally {
      this.#depth--
    }
  }

  #arguments(thread: number, count: number): unknown[] {
    this.#exports.lw_arguments(thread, count)
    return this.#take(count)
  }

  #push(thread: number, values: readonly unknown[]): number {
    if (values.length > 0) this.#exports.lw_push(thread, this.#write(this.#encoder.encode(values)), values.length)
    return values.length
  }

  /** What most functions return needs no message. */
  #pushOne(thread: number, value: unknown): number {
    switch (typeof value) {
      case 'undefined':
        this.#exports.lw_push_nil(thread)
        return 1
      case 'boolean':
        this.#exports.lw_push_boolean(thread, value ? 1 : 0)
        return 1
      case 'number':
        this.#exports.lw_push_number(thread, value)
        return 1
      default:
        return this.#push(thread, [value])
    }
  }

  /** Exceptions of JavaScript must never pass Lua's frames; those of Lua's own must pass these. */
  #raise(thread: number, error: unknown): number {
    if (error instanceof webAssembly.Exception || this.#crash) throw error
    if (error instanceof LuaInterrupted || error instanceof LuaExit) return HOST.interrupt
    if (!(error instanceof LuaError)) return this.#raiseMessage(thread, error instanceof Error ? error.message : String(error))
    try {
      this.#push(thread, [error.value])
      return HOST.error
    } catch (inner) {
      if (inner instanceof webAssembly.Exception) throw inner
      return this.#raiseMessage(thread, error.message)
    }
  }

  #raiseMessage(thread: number, message: string): number {
    this.#push(thread, [message])
    return HOST.message
  }

  // ---- events ----

  #event(thread: number, kind: number, line: number): number {
    this.#depth++
    try {
      const name = EVENT_KINDS[kind] ?? 'attention'
      const isException = name === 'exception'
      return EVENT_RESULTS[this.onEvent({ kind: name, line: isException ? 0 : line, status: isException ? line : 0, thread: thread >>> 0 })]
    } catch (error) {
      if (error instanceof webAssembly.Exception) throw error
      return error instanceof LuaInterrupted ? EVENT_RESULTS.interrupt : this.#failed(error)
    } finally {
      this.#depth--
    }
  }

  /** An exception of a callback that has no way to Lua: the call that led there is stopped and throws it. */
  #failed(error: unknown): number {
    this.#callbackError ??= { error }
    this.control.interruptHard()
    return EVENT_RESULTS['interrupt-hard']
  }

  /** Threads from the running one to the main thread: each was resumed by the next. */
  threadChain(thread: ThreadPointer = this.#exports.lw_running_thread()): ThreadPointer[] {
    const chain: ThreadPointer[] = []
    for (let at = thread >>> 0; at !== 0; at = this.#exports.lw_parent_thread(at) >>> 0) chain.push(at)
    return chain
  }

  /** A thread as a value, for `call`. */
  threadValue(thread: ThreadPointer): object {
    return new ThreadAddress(thread)
  }

  /** A thread of the host's own, kept for ever: code called there does not show in the stack of the running thread. */
  newThread(): ThreadPointer {
    return this.#exports.lw_new_thread() >>> 0
  }

  // ---- debugger ----

  /** Replaces the breakpoints of a source, given as its chunk name (`@` included). Chunks loaded later get theirs as well. */
  setBreakpoints(source: string, lines: readonly number[]): void {
    const done = this.#withSource(source, lines, (name, length, list) => this.#exports.lw_set_breakpoints(name, length, list, lines.length))
    if (!done) throw new LuaMemoryError('not enough memory', { status: LuaStatus.memory })
  }

  /** Lines of a loaded source where a breakpoint can be, ascending. */
  breakableLines(source: string): number[] {
    return this.#withSource(source, [0], (name, length, count) => {
      const list = this.#exports.lw_breakable_lines(name, length, count) >>> 0
      this.#refresh()
      const found = new Set<number>()
      for (let left = this.#view.getInt32(count, true); left > 0; left--) found.add(this.#view.getInt32(list + (left - 1) * 4, true))
      if (list !== 0) this.#exports.lw_free(list)
      return [...found].sort((a, b) => a - b)
    })
  }

  /** Inside an event: how its thread goes on. `over` and `out` are relative to the frame that stands still. */
  step(thread: ThreadPointer, mode: StepMode): void {
    this.#exports.lw_step(thread, STEP_MODES[mode])
  }

  /** Source and 32-bit words in linear memory, for the time of `use`. */
  #withSource<T>(source: string, words: readonly number[], use: (name: number, length: number, words: number) => T): T {
    const name = Buffer.from(source)
    const address = this.#exports.lw_malloc(words.length * 4 + name.length + 1) >>> 0
    if (address === 0) throw new LuaMemoryError('not enough memory', { status: LuaStatus.memory })
    try {
      this.#refresh()
      for (const [i, word] of words.entries()) this.#view.setInt32(address + i * 4, word, true)
      this.#bytes.set(name, address + words.length * 4)
      return use(address + words.length * 4, name.length, address)
    } finally {
      this.#exports.lw_free(address)
    }
  }

  // ---- output ----

  /** Hands over what standard output holds. Call it when code has ended, before blocking, and now and then while `control.outputPending`. */
  flush(): void {
    this.system.flush()
    if (this.#depth === 0) this.#end()
  }

  // ---- memory ----

  #write(message: Encoder): number {
    let area = this.#areas[this.#depth]
    if (!area || area.capacity < message.length) {
      if (area) this.#exports.lw_free(area.address)
      const capacity = Math.max(MESSAGE_CAPACITY, message.length)
      const address = this.#exports.lw_malloc(capacity) >>> 0
      if (address === 0) {
        this.#areas[this.#depth] = { address: 0, capacity: 0 }
        throw new LuaMemoryError('not enough memory', { status: LuaStatus.memory })
      }
      area = { address, capacity }
      this.#areas[this.#depth] = area
    }
    this.#cover(area.address + message.length)
    message.copyTo(this.#bytes, area.address)
    return area.address
  }

  #take(count: number): unknown[] {
    const { out } = this.control
    this.#cover(out + this.control.outLength)
    return this.#decoder.decode(this.#bytes, this.#view, out, count)
  }

  /** A view made before the memory grew is good for what it covers (a plain memory's has no length then): asking is cheaper than a new one. */
  #cover(end: number): void {
    if (end > this.#bytes.length) this.#refresh()
  }

  #refresh(): void {
    if (this.#bytes.buffer === this.memory.buffer) return
    this.#bytes = Buffer.from(this.memory.buffer)
    this.#view = new DataView(this.memory.buffer)
  }

  #drainReleased(): void {
    for (let reference = this.#released.pop(); reference !== undefined; reference = this.#released.pop())
      this.#exports.lw_unref(this.mainThread, reference)
  }

  /**
   * Copies the state: everything Lua knows, suspended coroutines included. Only while no Lua code runs. Open files are not part of it,
   * host objects are dead in the copy, and random numbers are seeded anew.
   */
  snapshot(): LuaSnapshot {
    if (this.#depth > 0) throw new Error('a snapshot can be taken only while no Lua code runs')
    if (this.#crash) throw this.#crash
    this.#exports.lw_flush_all()
    this.#drainReleased()
    return {
      module: this.#module.hash,
      bytes: new Uint8Array(this.memory.buffer).slice(),
      stackPointer: this.#exports.__stack_pointer.value,
      mainThread: this.mainThread,
      functions: [...this.#functionIds.keys()],
      types: [...this.#typeIds.keys()],
      memoryLimit: this.#memoryLimit,
      nextHandle: this.#nextHandle,
      nextDescriptor: this.system.nextDescriptor,
    }
  }

  /** Closes the files that scripts left open, with what they wrote. The memory goes when nobody refers to it. */
  dispose(): void {
    if (!this.#crash && this.#depth === 0) this.#exports.lw_flush_all()
    this.#crash ??= new LuaCrash('the Lua state was disposed')
    this.system.dispose()
  }

  #load(snapshot: LuaSnapshot): void {
    const missing = Math.ceil(snapshot.bytes.length / PAGE) - this.memory.buffer.byteLength / PAGE
    if (missing > 0) this.memory.grow(missing)
    this.#refresh()
    this.#bytes.set(snapshot.bytes)
    this.#exports.__stack_pointer.value = snapshot.stackPointer
    for (const [id, name] of snapshot.functions.entries()) this.#functionIds.set(name, id)
    for (const [index, name] of snapshot.types.entries()) this.#typeIds.set(name, index + 1)
    this.#nextHandle = snapshot.nextHandle
    this.system.nextDescriptor = snapshot.nextDescriptor
  }
}

function newMemory(module: LuaModule, options: LuaOptions, snapshot: LuaSnapshot | undefined): WasmMemory {
  const initial = Math.max(INITIAL_PAGES, Math.ceil((snapshot?.bytes.length ?? 0) / PAGE))
  const wanted = options.maximumMemory === undefined ? MAXIMUM_PAGES : Math.ceil(options.maximumMemory / PAGE)
  return new webAssembly.Memory({ initial, maximum: Math.max(initial, Math.min(wanted, MAXIMUM_PAGES)), shared: module.shared })
}

/** The last line is the call from the host. */
function tidyTraceback(traceback: string): string {
  return traceback.replace(/(\n\t\[C\]: in \?)+$/, '')
}

function isIncomplete(message: string): boolean {
  return message.endsWith('near <eof>') && !message.includes('unfinished string')
}
