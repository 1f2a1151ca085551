import type { Encoder } from './encoder.ts'
import { LuaMemoryError, LuaStatus } from './errors.ts'
import type { LuaExports } from './wasm-exports.ts'
import { PAGE, type WasmMemory, webAssembly } from './web-assembly.ts'

const INITIAL_PAGES = 24
const MAXIMUM_PAGES = 65536
const AREA_CAPACITY = 4096
const KEEP_CAPACITY = 1 << 20

/** A memory for a state: `maximum` bytes at most (default 4 GiB), `content` at least. */
export function newMemory(shared: boolean, maximum: number | undefined, content: number): WasmMemory {
  const initial = Math.max(INITIAL_PAGES, Math.ceil(content / PAGE))
  const wanted = maximum === undefined ? MAXIMUM_PAGES : Math.ceil(maximum / PAGE)
  return new webAssembly.Memory({ initial, maximum: Math.max(initial, Math.min(wanted, MAXIMUM_PAGES)), shared })
}

interface Area {
  address: number
  capacity: number
}

/** The memory of a state as bytes, and room in it for messages. */
export class LinearMemory {
  bytes: Buffer
  view: DataView
  readonly #memory: WasmMemory
  readonly #exports: LuaExports
  /** One for each nested call: a message must stay whole until C has decoded it, and decoding can run finalizers that call the host. */
  #areas: Area[] = []

  constructor(memory: WasmMemory, exports: LuaExports) {
    this.#memory = memory
    this.#exports = exports
    this.bytes = Buffer.from(memory.buffer)
    this.view = new DataView(memory.buffer)
  }

  /** A view made before the memory grew is good for what it covers (a plain memory's has no length then): asking is cheaper than a new one. */
  cover(end: number): void {
    if (end <= this.bytes.length) return
    this.bytes = Buffer.from(this.#memory.buffer)
    this.view = new DataView(this.#memory.buffer)
  }

  allocate(size: number): number {
    const address = this.#exports.lw_malloc(size) >>> 0
    if (address === 0) throw new LuaMemoryError('not enough memory', { status: LuaStatus.memory })
    this.cover(address + size)
    return address
  }

  /** Puts a message where C finds it until the next one of the same depth. */
  write(message: Encoder, depth: number): number {
    const area = this.#areas[depth]
    if (area && message.length <= area.capacity && (area.capacity <= KEEP_CAPACITY || message.length > KEEP_CAPACITY)) {
      this.cover(area.address + message.length)
      message.copyTo(this.bytes, area.address)
      return area.address
    }
    if (area) this.#exports.lw_free(area.address)
    this.#areas[depth] = { address: 0, capacity: 0 }
    const capacity = Math.max(AREA_CAPACITY, message.length)
    const address = this.allocate(capacity)
    this.#areas[depth] = { address, capacity }
    message.copyTo(this.bytes, address)
    return address
  }

  /** Where messages go belongs to a moment of the memory, too. */
  get areas(): readonly Area[] {
    return this.#areas
  }

  set areas(areas: readonly Area[]) {
    this.#areas = [...areas]
  }

  /** A text and 32-bit words in memory, for the time of `use`. */
  withText<T>(text: string, words: readonly number[], use: (text: number, length: number, words: number) => T): T {
    const bytes = Buffer.from(text)
    const address = this.allocate(words.length * 4 + bytes.length + 1)
    try {
      for (const [i, word] of words.entries()) this.view.setInt32(address + i * 4, word, true)
      this.bytes.set(bytes, address + words.length * 4)
      return use(address + words.length * 4, bytes.length, address)
    } finally {
      this.#exports.lw_free(address)
    }
  }
}
