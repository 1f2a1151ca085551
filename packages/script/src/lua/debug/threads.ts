import type { LuaProbe, LuaVM, ThreadPointer } from '@llmspell/lua'
import type { LuaSources } from '../sources.ts'

export const MAIN_THREAD = 1

/** Coroutines that a debugger is shown. */
const MAX_THREADS = 1_000
/** Numbers of coroutines that are gone are forgotten above this many. */
const MAX_KNOWN = 10_000

/** Numbers for coroutines: the main thread is 1, whatever runs in its place. */
export class Threads {
  readonly #vm: LuaVM
  readonly #probe: LuaProbe
  readonly #sources: LuaSources
  readonly #ids = new Map<ThreadPointer, number>()
  readonly #pointers = new Map<number, ThreadPointer>()
  #nextId = MAIN_THREAD + 1
  /** The coroutine that runs in place of the main thread. */
  standIn: ThreadPointer | undefined

  constructor(vm: LuaVM, probe: LuaProbe, sources: LuaSources) {
    this.#vm = vm
    this.#probe = probe
    this.#sources = sources
  }

  idOf(pointer: ThreadPointer): number {
    if (this.isMain(pointer)) return MAIN_THREAD
    let id = this.#ids.get(pointer)
    if (id === undefined) {
      id = this.#nextId++
      this.#ids.set(pointer, id)
      this.#pointers.set(id, pointer)
    }
    return id
  }

  isMain(pointer: ThreadPointer): boolean {
    return pointer === this.#vm.mainThread || pointer === this.standIn
  }

  /** The coroutine of a number, if it still lives. */
  find(id: number): ThreadPointer | undefined {
    const pointer = this.#pointers.get(id)
    return pointer !== undefined && this.#living().includes(pointer) ? pointer : undefined
  }

  list(): { id: number; name: string }[] {
    const living = this.#living()
    if (this.#ids.size > MAX_KNOWN) this.#forgetAllBut(living)
    const coroutines = living.map((pointer) => ({ id: this.idOf(pointer), name: this.#nameOf(pointer) }))
    return [{ id: MAIN_THREAD, name: 'main' }, ...coroutines.sort((a, b) => a.id - b.id)]
  }

  #living(): ThreadPointer[] {
    return this.#vm.debugging.threads(MAX_THREADS).filter((pointer) => pointer !== this.#probe.thread && !this.isMain(pointer))
  }

  #nameOf(pointer: ThreadPointer): string {
    const body = this.#probe.threadText(pointer)
    if (!body) return 'coroutine'
    const source = this.#sources.name(body.origin)
    const line = /:(\d+)$/.exec(body.text)?.[1]
    const file = source?.split('/').at(-1)
    return `coroutine ${file === undefined || line === undefined ? body.text : `${file}:${line}`}`
  }

  #forgetAllBut(living: readonly ThreadPointer[]): void {
    const kept = new Set(living)
    for (const [pointer, id] of this.#ids) {
      if (kept.has(pointer)) continue
      this.#ids.delete(pointer)
      this.#pointers.delete(id)
    }
  }
}
