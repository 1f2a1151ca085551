import type { CodecHost } from './codec.ts'
import { LuaError } from './errors.ts'
import { HostFunction, type LuaReference, type ReferenceOwner } from './values.ts'

/** A function for Lua to call. It states what it expects; what comes is what the script gives. Whatever it throws becomes a Lua error. */
export type HostCallback = (...args: never[]) => unknown

/** Names by number that a copy of the memory needs again. */
export interface HostNames {
  /** Host functions and types by id: bind the same names after restoring. */
  readonly functions: readonly string[]
  readonly types: readonly string[]
  readonly nextHandle: number
}

interface Released {
  reference: number
  serial: number
}

export interface RegistryMoment {
  readonly serial: number
  readonly objects: readonly [number, { object: object; uses: number }][]
}

/** What Lua holds of the host by number (functions, objects), and the host of Lua (references). */
export class HostRegistry implements CodecHost {
  readonly references: ReferenceOwner
  readonly #callbacks: (HostCallback | undefined)[] = []
  readonly #functionIds: Map<string, number> = new Map()
  readonly #typeIds: Map<string, number> = new Map()
  readonly #handles: WeakMap<object, { handle: number; type: number }> = new WeakMap()
  /** Objects that Lua holds, with the number of userdata made of each. */
  readonly #objects: Map<number, { object: object; uses: number }> = new Map()
  #nextHandle = 0
  readonly #released: Released[] = []
  #nextSerial = 0
  /** Serials of references that going back has taken out of the memory: first and last + 1 of each run. */
  readonly #undone: [number, number][] = []

  constructor() {
    const unreachable = new FinalizationRegistry<Released>((released) => this.#released.push(released))
    this.references = {
      track: (reference: LuaReference) => {
        const serial = this.#nextSerial++
        unreachable.register(reference, { reference: reference.reference, serial }, reference)
        return serial
      },
      release: (reference: LuaReference, serial: number) => {
        unreachable.unregister(reference)
        this.#released.push({ reference: reference.reference, serial })
      },
    }
  }

  // ---- functions ----

  define(name: string, callback: HostCallback): HostFunction {
    const id = idOf(this.#functionIds, name, 0)
    this.#callbacks[id] = callback
    return new HostFunction(id, name)
  }

  callback(id: number): HostCallback {
    const callback = this.#callbacks[id]
    if (!callback) throw new LuaError(`host function '${this.functionName(id)}' is not available here`)
    return callback
  }

  hasFunction({ id, name }: HostFunction): boolean {
    return this.#functionIds.get(name) === id
  }

  functionName(id: number): string {
    return [...this.#functionIds.keys()][id] ?? `#${id}`
  }

  // ---- objects ----

  typeId(name: string): number {
    return idOf(this.#typeIds, name, 1)
  }

  register(object: object, type: string): void {
    if (!this.#handles.has(object)) this.#handles.set(object, { handle: this.#nextHandle++, type: this.typeId(type) })
  }

  /** How many objects Lua holds. */
  get objects(): number {
    return this.#objects.size
  }

  objectHandle(object: object): { handle: number; type: number } | undefined {
    const known = this.#handles.get(object)
    if (!known) return undefined
    const entry = this.#objects.get(known.handle)
    if (entry) entry.uses++
    else this.#objects.set(known.handle, { object, uses: 1 })
    return known
  }

  object(handle: number): object {
    const entry = this.#objects.get(handle)
    if (!entry) throw new LuaError('the host object is gone')
    return entry.object
  }

  releaseObject(handle: number): void {
    const entry = this.#objects.get(handle)
    if (entry && --entry.uses === 0) this.#objects.delete(handle)
  }

  // ---- references ----

  /** Takes one reference that the host has let go. */
  nextReleased(): number | undefined {
    for (let next = this.#released.pop(); next; next = this.#released.pop()) {
      const { reference, serial } = next
      if (!this.#undone.some(([first, end]) => serial >= first && serial < end)) return reference
    }
    return undefined
  }

  // ---- going back ----

  /** What of the registry belongs to this moment of the memory. */
  moment(): RegistryMoment {
    return { serial: this.#nextSerial, objects: [...this.#objects].map(([handle, entry]) => [handle, { ...entry }]) }
  }

  /** The memory is what it was then. */
  goBack({ serial, objects }: RegistryMoment): void {
    if (serial < this.#nextSerial) this.#undone.push([serial, this.#nextSerial])
    this.#objects.clear()
    for (const [handle, entry] of objects) this.#objects.set(handle, { ...entry })
  }

  // ---- snapshots ----

  names(): HostNames {
    return { functions: [...this.#functionIds.keys()], types: [...this.#typeIds.keys()], nextHandle: this.#nextHandle }
  }

  /** Functions and objects of the original are not there, but their numbers are taken. */
  restore({ functions, types, nextHandle }: HostNames): void {
    for (const name of functions) idOf(this.#functionIds, name, 0)
    for (const name of types) idOf(this.#typeIds, name, 1)
    this.#nextHandle = nextHandle
  }
}

function idOf(ids: Map<string, number>, name: string, first: number): number {
  const known = ids.get(name)
  if (known !== undefined) return known
  const id = ids.size + first
  ids.set(name, id)
  return id
}
