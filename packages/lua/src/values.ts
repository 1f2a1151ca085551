/**
 * Values that have no plain JavaScript counterpart.
 *
 * | Lua | JavaScript | and back |
 * | --- | --- | --- |
 * | nil | undefined | nil (null too) |
 * | boolean | boolean | boolean |
 * | integer within ±2^53 | number | integer |
 * | other integer | bigint | integer; a bigint beyond 64 bits is an error |
 * | float | number | integer if its value is one (3.0 comes back as 3), else float; `new LuaFloat(3)` forces 3.0 |
 * | string, valid UTF-8 | string | string |
 * | other string | Uint8Array | string (of the bytes) |
 * | table with keys 1..n | array (holes: undefined) | table |
 * | table with string keys, empty table | plain object | table |
 * | any other table | Map | table |
 * | function, userdata, coroutine | LuaFunction, LuaUserdata, LuaThread | the same value |
 * | host object, host function | the object, HostFunction | the same |
 *
 * Empty JavaScript arrays get a metatable in Lua that brings them back as arrays. A table met twice is one object on the other side,
 * so cycles keep their shape. Metatables do not cross. Nesting deeper than 500 levels is an error. Objects with `toJSON` cross as that;
 * JavaScript functions, symbols and instances of classes are an error: register functions with `vm.function`, objects with `vm.object`.
 */

/** Keeps the values that the host refers to alive in Lua. */
export interface ReferenceOwner {
  /** Gives the reference a number that no other ever had. */
  track(reference: LuaReference): number
  release(reference: LuaReference, serial: number): void
}

/** A Lua value kept alive for the host. */
export abstract class LuaReference {
  /** Number in the VM's table of references. */
  readonly reference: number
  readonly #owner: ReferenceOwner
  readonly #serial: number
  #released = false

  constructor(reference: number, owner: ReferenceOwner) {
    this.reference = reference
    this.#owner = owner
    this.#serial = owner.track(this)
  }

  /** Whether it is a value of this state, and not released. */
  isHeldBy(owner: ReferenceOwner): boolean {
    return owner === this.#owner && !this.#released
  }

  /** Lets Lua collect the value. Happens by itself some time after this object is unreachable. */
  release(): void {
    if (this.#released) return
    this.#released = true
    this.#owner.release(this, this.#serial)
  }
}

export class LuaFunction extends LuaReference {}

export class LuaUserdata extends LuaReference {}

export class LuaThread extends LuaReference {}

/** A number that is a float in Lua also when its value is integral. */
export class LuaFloat {
  readonly value: number

  constructor(value: number) {
    this.value = value
  }
}

/** A function of the host as a value: made by `vm.function`. */
export class HostFunction {
  readonly id: number
  readonly name: string

  constructor(id: number, name: string) {
    this.id = id
    this.name = name
  }
}

/** What a host function returns to give Lua none or several values. */
export class LuaResults {
  readonly values: readonly unknown[]

  constructor(values: readonly unknown[]) {
    this.values = values
  }
}

/** Several results of a host function, or none. */
export function results(...values: unknown[]): LuaResults {
  return new LuaResults(values)
}

/** A host function returns this to suspend the coroutine that called it; resuming gives the results. */
export const YIELD: unique symbol = Symbol('yield')
