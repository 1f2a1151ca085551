import type { LuaMoment, LuaVM } from './vm.ts'

/** Memory is compared in large pieces first, and what differs is kept in small ones. */
const PIECE = 64 << 10
const PAGE = 1 << 10

interface Entry<T> {
  readonly note: T
  readonly moment: LuaMoment
  readonly length: number
  /** What takes the memory from this entry back to the one before: address and bytes. */
  readonly undo: readonly (readonly [number, Uint8Array])[]
}

/**
 * Earlier moments of a state, to go back to: the last one as a copy of the memory, each before it as what has changed since.
 * Bounded; the oldest are forgotten. What has happened outside the memory stays: output, files, calls of the host.
 */
export class LuaHistory<T> {
  readonly #vm: LuaVM
  readonly #limit: number
  readonly #entries: Entry<T>[] = []
  #image: Buffer = Buffer.alloc(0)
  #size = 0
  #forgot = false

  /** `limit`: bytes in all; the last moment is kept in any case. */
  constructor(vm: LuaVM, limit: number) {
    this.#vm = vm
    this.#limit = limit
  }

  get length(): number {
    return this.#entries.length
  }

  /** Bytes that it holds. */
  get size(): number {
    return this.#size + this.#image.length
  }

  /** Entries were forgotten because of the limit. */
  get isCut(): boolean {
    return this.#forgot
  }

  note(index: number): T | undefined {
    return this.#entries[index]?.note
  }

  /** Keeps this moment. Only while no Lua code runs: idle, or suspended after `vm.begin`. */
  record(note: T): void {
    const moment = this.#vm.moment()
    const live = Buffer.from(this.#vm.memory.buffer)
    const known = this.#image.length
    if (known < live.length) {
      const grown = Buffer.allocUnsafe(live.length)
      this.#image.copy(grown)
      live.copy(grown, known, known)
      this.#image = grown
    }
    // What is below the pointer of an empty C stack is rubbish.
    const undo = this.#takeChanges(live, moment.stackPointer, known)
    this.#entries.push({ note, moment, length: live.length, undo })
    this.#size += sizeOf(undo)
    while (this.size > this.#limit && this.#entries.length > 1) {
      this.#entries.shift()
      const [first] = this.#entries
      if (!first) break
      this.#size -= sizeOf(first.undo)
      this.#entries[0] = { ...first, undo: [] }
      this.#forgot = true
    }
  }

  #takeChanges(live: Buffer, from: number, to: number): [number, Uint8Array][] {
    const image = this.#image
    const undo: [number, Uint8Array][] = []
    for (let piece = from - (from % PIECE); piece < to; piece += PIECE) {
      const end = Math.min(piece + PIECE, to)
      if (live.compare(image, piece, end, piece, end) === 0) continue
      for (let page = piece; page < end; page += PAGE) {
        if (live.compare(image, page, page + PAGE, page, page + PAGE) === 0) continue
        undo.push([page, Uint8Array.prototype.slice.call(image, page, page + PAGE)])
        live.copy(image, page, page, page + PAGE)
      }
    }
    return undo
  }

  /** Makes the state what it was at an entry, and forgets the later ones. */
  goBack(index: number): void {
    const entry = this.#entries[index]
    if (!entry) throw new RangeError(`there is no entry ${index}`)
    while (this.#entries.length > index + 1) {
      const undone = this.#entries.pop()?.undo ?? []
      for (const [at, bytes] of undone) this.#image.set(bytes, at)
      this.#size -= sizeOf(undone)
    }
    const live = Buffer.from(this.#vm.memory.buffer)
    for (let piece = 0; piece < entry.length; piece += PIECE) {
      const end = Math.min(piece + PIECE, entry.length)
      if (live.compare(this.#image, piece, end, piece, end) !== 0) this.#image.copy(live, piece, piece, end)
    }
    this.#vm.goBack(entry.moment)
  }

  clear(): void {
    this.#entries.length = 0
    this.#size = 0
    this.#image = Buffer.alloc(0)
    this.#forgot = false
  }
}

/** A page and what keeps it. */
function sizeOf(undo: readonly unknown[]): number {
  return undo.length * (PAGE + 128) + 512
}
