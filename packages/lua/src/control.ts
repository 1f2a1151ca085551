import type { WasmMemory } from './web-assembly.ts'

/** Fields of `struct lw_control` (wasm/c/control.h), as indices of 32-bit words. */
const WORD = {
  signal: 0,
  tracing: 1,
  stepMode: 2,
  catching: 3,
  used: 4,
  limit: 5,
  peak: 6,
  outputPending: 7,
  interrupted: 8,
  exiting: 9,
  exitCode: 10,
  out: 11,
  outLength: 12,
  outCount: 13,
  compiling: 14,
  flushLine: 15,
  origin: 16,
  telling: 17,
  recording: 18,
} as const

export const Signal = { none: 0, attention: 1, hard: 2 } as const

/**
 * The words that a VM shares with its host. On a shared memory, any thread may make one from `vm.memory` and `vm.controlAddress`
 * (both can be posted) and use it while Lua runs.
 */
export class LuaControl {
  readonly #memory: WasmMemory
  readonly #word: number
  #view: Int32Array

  constructor(memory: WasmMemory, address: number) {
    this.#memory = memory
    this.#word = address >>> 2
    this.#view = new Int32Array(memory.buffer)
  }

  /** The VM calls its event handler at the next safe point: a loop edge, call or return, within microseconds of running Lua. */
  attention(): void {
    Atomics.compareExchange(this.#words(), this.#word + WORD.signal, Signal.none, Signal.attention)
  }

  /** Everything that runs is unwound, whatever it catches, including long-running C functions. Stays on until the outermost call ends. */
  interruptHard(): void {
    Atomics.store(this.#words(), this.#word + WORD.signal, Signal.hard)
  }

  /** Takes back a signal that was not seen yet. */
  clearSignal(): void {
    Atomics.store(this.#words(), this.#word + WORD.signal, Signal.none)
  }

  get signal(): number {
    return Atomics.load(this.#words(), this.#word + WORD.signal)
  }

  /** Bytes of Lua heap in use. */
  get used(): number {
    return this.#unsigned(WORD.used)
  }

  get peak(): number {
    return this.#unsigned(WORD.peak)
  }

  /** Bytes of Lua heap allowed; 0: no limit but the 4 GiB of the address space. Lua raises `not enough memory` at the limit, exactly. */
  get limit(): number {
    return this.#unsigned(WORD.limit)
  }

  set limit(bytes: number) {
    this.#words()[this.#word + WORD.limit] = Math.min(bytes, 0xffffffff)
  }

  /** Something was written to standard output and not given to the host yet: see `vm.flush`. */
  get outputPending(): boolean {
    return Atomics.load(this.#words(), this.#word + WORD.outputPending) !== 0
  }

  set outputPending(pending: boolean) {
    this.#words()[this.#word + WORD.outputPending] = pending ? 1 : 0
  }

  /** The next line that ends on standard output is given to the host at once: for the first line after a pause. */
  flushNextLine(): void {
    Atomics.store(this.#words(), this.#word + WORD.flushLine, 1)
  }

  /** An interrupt was raised since this was last cleared. */
  get interrupted(): boolean {
    return this.#words()[this.#word + WORD.interrupted] !== 0
  }

  set interrupted(value: boolean) {
    this.#words()[this.#word + WORD.interrupted] = value ? 1 : 0
  }

  /** Report errors to the event handler at the moment they are raised. */
  get catching(): boolean {
    return this.#words()[this.#word + WORD.catching] !== 0
  }

  set catching(value: boolean) {
    this.#words()[this.#word + WORD.catching] = value ? 1 : 0
  }

  /** Turns breakpoints, steps and exception events off; the result turns them on as they were. */
  pauseDebugger(): () => void {
    const words = this.#words()
    const tracing = words[this.#word + WORD.tracing] ?? 0
    const catching = words[this.#word + WORD.catching] ?? 0
    words[this.#word + WORD.tracing] = 0
    words[this.#word + WORD.catching] = 0
    return () => {
      words[this.#word + WORD.tracing] = tracing
      words[this.#word + WORD.catching] = catching
    }
  }

  /** Number of the source of what is loaded next: see `vm.debugging`. 0: by chunk name. Below 0: code that no debugger shows. */
  get origin(): number {
    return this.#words()[this.#word + WORD.origin] ?? 0
  }

  set origin(origin: number) {
    this.#words()[this.#word + WORD.origin] = origin
  }

  /** Ask `onLoad` for the sources of chunks that the program loads itself. */
  set telling(on: boolean) {
    this.#words()[this.#word + WORD.telling] = on ? 1 : 0
  }

  get exitCode(): number | undefined {
    const words = this.#words()
    return words[this.#word + WORD.exiting] ? words[this.#word + WORD.exitCode] : undefined
  }

  clearExit(): void {
    this.#words()[this.#word + WORD.exiting] = 0
  }

  get out(): number {
    return this.#unsigned(WORD.out)
  }

  get outLength(): number {
    return this.#unsigned(WORD.outLength)
  }

  get outCount(): number {
    return this.#unsigned(WORD.outCount)
  }

  #unsigned(word: number): number {
    return (this.#words()[this.#word + word] ?? 0) >>> 0
  }

  /** Views made before the memory grew stay valid but short; the control block is near the start, so any view covers it unless replaced. */
  #words(): Int32Array {
    if (this.#view.length === 0) this.#view = new Int32Array(this.#memory.buffer)
    return this.#view
  }
}
