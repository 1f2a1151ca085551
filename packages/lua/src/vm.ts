import { type Internal, ThreadAddress } from './codec.ts'
import { LuaControl, Signal } from './control.ts'
import { LuaDebugging } from './debugging.ts'
import { Decoder } from './decoder.ts'
import { Encoder } from './encoder.ts'
import { LuaCrash, LuaError, LuaExit, LuaInterrupted, LuaMemoryError, LuaStatus, LuaSyntaxError } from './errors.ts'
import type { EventResult, LuaEvent, ThreadPointer } from './event.ts'
import { type HostCallback, HostRegistry, type RegistryMoment } from './host-registry.ts'
import { LinearMemory, newMemory } from './linear-memory.ts'
import type { LuaModule } from './module.ts'
import type { CallOptions, LuaOptions } from './options.ts'
import type { LuaSnapshot } from './snapshot.ts'
import { LuaSystem } from './system.ts'
import { type HostFunction, LuaFunction, type LuaReference, LuaResults, YIELD } from './values.ts'
import { EVENT_FLAGS, EVENT_KINDS, EVENT_RESULTS, HOST, INTERNAL, type LuaExports, RESULTS } from './wasm-exports.ts'
import { PAGE, type WasmMemory, webAssembly } from './web-assembly.ts'

/** coroutine.wrap and error put a position before the message. */
const INTERRUPTED = /(?:^|: )interrupted$/

const HEADROOM = 256 << 10

/** A chunk name may be the text of a chunk. */
const LONGEST_NAME = 4 << 20

export interface LuaMoment {
  readonly stackPointer: number
  readonly areas: LinearMemory['areas']
  readonly registry: RegistryMoment
}

/** One Lua state. Synchronous: a call returns when Lua is done. Put it in a worker thread to interrupt it from outside. */
export class LuaVM {
  readonly memory: WasmMemory
  readonly control: LuaControl
  /** Address of the control block: `new LuaControl(memory, controlAddress)` in another thread. */
  readonly controlAddress: number
  readonly system: LuaSystem
  readonly debugging: LuaDebugging
  readonly mainThread: ThreadPointer
  /** Handler of attention and debug events; may be replaced. */
  onEvent: (event: LuaEvent) => EventResult
  /** Tells the source of a chunk: see LuaOptions; may be replaced. */
  onLoad: (chunkName: string, text: string | undefined) => number
  readonly #module: LuaModule
  readonly #exports: LuaExports
  readonly #linear: LinearMemory
  readonly #registry: HostRegistry = new HostRegistry()
  readonly #encoder: Encoder = new Encoder(this.#registry)
  readonly #decoder: Decoder = new Decoder(this.#registry)
  /** Calls into Lua and out of it that have not returned. */
  #depth = 0
  #crash: LuaCrash | undefined
  #memoryLimit: number
  #ranOutOfMemory = false
  #callbackError: { error: unknown } | undefined

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
    this.memory = options.memory ?? newMemory(module.shared, options.maximumMemory, snapshot?.bytes.length ?? 0)
    this.onEvent = options.onEvent ?? (() => 'continue')
    this.onLoad = options.onLoad ?? (() => 0)
    this.system = new LuaSystem(this.memory, options)
    const imports = this.system.imports()
    const instance = new webAssembly.Instance(module.module, {
      env: { memory: this.memory },
      wasi_snapshot_preview1: imports.wasi_snapshot_preview1,
      lua_host: {
        ...imports.lua_host,
        host_call: (thread: number, id: number, count: number) => this.#hostCall(thread, id, count),
        host_event: (thread: number, kind: number, line: number, origin: number, entry: number, flags: number, place: number) =>
          this.#event(thread, kind, line, origin, entry, flags, place),
        host_loaded: (name: number, nameLength: number, text: number, textLength: number) =>
          this.#loaded(name >>> 0, nameLength >>> 0, text >>> 0, textLength >>> 0),
        host_release: (handle: number) => this.#registry.releaseObject(handle),
      },
    })
    this.#exports = instance.exports as unknown as LuaExports
    this.#linear = new LinearMemory(this.memory, this.#exports)
    this.debugging = new LuaDebugging(this.#exports, this.#linear)
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
    const message = this.#linear.write(this.#encoder.encode([callee, ...args]), this.#depth)
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
    if (this.control.signal === Signal.hard) this.control.clearSignal()
    this.control.interrupted = false
    if (this.#ranOutOfMemory) this.#giveHeadroom()
  }

  #giveHeadroom(): void {
    const wanted = this.control.used + HEADROOM
    this.#ranOutOfMemory = wanted > this.#memoryLimit
    this.control.limit = Math.max(this.#memoryLimit, wanted)
  }

  #end(): void {
    if (this.control.signal === Signal.hard) this.control.clearSignal()
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
    return this.#registry.define(name, callback)
  }

  setGlobal(name: string, value: unknown): void {
    this.#perform(INTERNAL.setGlobal, [name, value])
  }

  getGlobal(name: string): unknown {
    return this.#perform(INTERNAL.getGlobal, [name])[0]
  }

  /** Calls `define` (a Lua function) with the metatable that objects of a type share. `__gc` and `__eq` are taken. */
  defineType(type: string, define: LuaFunction): void {
    this.#perform(INTERNAL.type, [this.#registry.typeId(type), define])
  }

  /**
   * Registers an object so that it crosses as itself: a userdata in Lua, the object again when it comes back. Objects of a type
   * share a metatable (see defineType). It is kept here until Lua has collected every userdata made of it.
   */
  object<T extends object>(object: T, type = 'object'): T {
    this.#registry.register(object, type)
    return object
  }

  /** Host objects that Lua holds. */
  get hostObjects(): number {
    return this.#registry.objects
  }

  #hostCall(thread: number, id: number, count: number): number {
    this.#depth++
    try {
      const callback = this.#registry.callback(id)
      const result = callback(...((count === 0 ? [] : this.#arguments(thread, count)) as never[]))
      if (result === YIELD) return HOST.yield
      if (result instanceof LuaResults) return this.#push(thread, result.values)
      if (result instanceof Promise)
        throw new TypeError(`host function '${this.#registry.functionName(id)}' returned a promise; calls from Lua are synchronous`)
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
    if (values.length > 0) this.#exports.lw_push(thread, this.#linear.write(this.#encoder.encode(values), this.#depth), values.length)
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

  #event(thread: number, kind: number, line: number, origin: number, entry: number, flags: number, place: number): number {
    this.#depth++
    try {
      const name = EVENT_KINDS[kind] ?? 'attention'
      const isException = name === 'exception'
      const result = this.onEvent({
        kind: name,
        line: isException ? 0 : line,
        status: isException ? line : 0,
        thread: thread >>> 0,
        origin,
        entry: entry >>> 0,
        place: place >>> 0,
        atLine: (flags & EVENT_FLAGS.atLine) !== 0,
        stepEnds: (flags & EVENT_FLAGS.stepEnds) !== 0,
        canYield: (flags & EVENT_FLAGS.canYield) !== 0,
      })
      return EVENT_RESULTS[result]
    } catch (error) {
      if (error instanceof webAssembly.Exception) throw error
      return error instanceof LuaInterrupted ? EVENT_RESULTS.interrupt : this.#failed(error)
    } finally {
      this.#depth--
    }
  }

  #loaded(name: number, nameLength: number, text: number, textLength: number): number {
    try {
      const kept = Math.min(nameLength, LONGEST_NAME)
      this.#linear.cover(Math.max(name + kept, text + textLength))
      const { bytes } = this.#linear
      return this.onLoad(
        bytes.toString('utf8', name, name + kept),
        text === 0 ? undefined : bytes.toString('utf8', text, text + textLength),
      )
    } catch (error) {
      this.#failed(error)
      return 0
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

  // ---- code that can be suspended ----

  /**
   * Like `call`, for code that events may suspend. It takes itself for code of the main thread. Gives its results when it has ended,
   * undefined when it is suspended: `proceed` goes on. One at a time.
   */
  begin(callee: LuaFunction | HostFunction, args: readonly unknown[]): unknown[] | undefined {
    const [ended, ...values] = this.#perform(INTERNAL.begin, [callee, ...args])
    return ended === true ? values : undefined
  }

  proceed(): unknown[] | undefined {
    const [ended, ...values] = this.#perform(INTERNAL.proceed, [])
    return ended === true ? values : undefined
  }

  /** What of the state is not in its memory. Only while no Lua code runs. */
  moment(): LuaMoment {
    if (this.#depth > 0) throw new Error('Lua code runs')
    this.#drainReleased()
    return { stackPointer: this.#exports.__stack_pointer.value, areas: [...this.#linear.areas], registry: this.#registry.moment() }
  }

  /** The memory was put back to what it was then. Breakpoints and steps are those of then. */
  goBack(moment: LuaMoment): void {
    if (this.#depth > 0) throw new Error('Lua code runs')
    this.#exports.__stack_pointer.value = moment.stackPointer
    this.#linear.areas = moment.areas
    this.#registry.goBack(moment.registry)
    // Whoever raised a signal meanwhile raised it in memory that is gone.
    this.control.clearSignal()
    this.control.attention()
  }

  /** Functions for debuggers that are written in Lua: wasm/c/probe.c. */
  probe(): unknown {
    return this.#perform(INTERNAL.probe, [])[0]
  }

  // ---- output ----

  /** Hands over what standard output holds. Call it when code has ended, before blocking, and now and then while `control.outputPending`. */
  flush(): void {
    this.system.flush()
    if (this.#depth === 0) this.#end()
  }

  // ---- memory ----

  #take(count: number): unknown[] {
    const { out } = this.control
    this.#linear.cover(out + this.control.outLength)
    return this.#decoder.decode(this.#linear.bytes, this.#linear.view, out, count)
  }

  #drainReleased(): void {
    for (let reference = this.#registry.nextReleased(); reference !== undefined; reference = this.#registry.nextReleased())
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
      memoryLimit: this.#memoryLimit,
      ...this.#registry.names(),
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
    this.#linear.cover(snapshot.bytes.length)
    this.#linear.bytes.set(snapshot.bytes)
    this.#exports.__stack_pointer.value = snapshot.stackPointer
    this.#registry.restore(snapshot)
    this.system.nextDescriptor = snapshot.nextDescriptor
  }
}

/** The last line is the call from the host. */
function tidyTraceback(traceback: string): string {
  return traceback.replace(/(\n\t\[C\]: in \?)+$/, '')
}

function isIncomplete(message: string): boolean {
  return message.endsWith('near <eof>') && !message.includes('unfinished string')
}
