import type { HostFunction, ReferenceOwner } from './values.ts'

/** Tags of wasm/c/codec.h. */
export const Tag = {
  nil: 0,
  false: 1,
  true: 2,
  int32: 3,
  int64: 4,
  float: 5,
  string: 6,
  bytes: 7,
  array: 8,
  object: 9,
  map: 10,
  back: 11,
  function: 12,
  userdata: 13,
  thread: 14,
  host: 15,
  hostFunction: 16,
  internal: 17,
  threadPointer: 18,
} as const

/** A C function of the VM by number. */
export class Internal {
  readonly number: number

  constructor(number: number) {
    this.number = number
  }
}

/** A Lua thread by address. */
export class ThreadAddress {
  readonly pointer: number

  constructor(pointer: number) {
    this.pointer = pointer
  }
}

/** What the codec asks of the VM. */
export interface CodecHost {
  /** Handle and type of an object registered as host object. */
  objectHandle(value: object): { handle: number; type: number } | undefined
  object(handle: number): unknown
  readonly references: ReferenceOwner
  hasFunction(value: HostFunction): boolean
}
