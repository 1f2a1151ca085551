import { type CodecHost, Internal, Tag, ThreadAddress } from './codec.ts'
import { HostFunction, LuaFloat, LuaReference } from './values.ts'

const MAX_DEPTH = 500
/** Up to here a loop in JavaScript is cheaper than a call. */
const SHORT_STRING = 16
const SHORT_MESSAGE = 48
const CAPACITY = 4096
const KEEP_CAPACITY = 1 << 20

/** Encodes JavaScript values. One message at a time: it stays good until the next. */
export class Encoder {
  readonly #host: CodecHost
  #bytes: Buffer = Buffer.allocUnsafeSlow(CAPACITY)
  #view: DataView = viewOf(this.#bytes)
  #length = 0
  #seen: Map<object, number> | undefined
  #backReferences = false
  #busy = false

  constructor(host: CodecHost) {
    this.#host = host
  }

  /** Returns the encoder that holds the message: another one when a getter or toJSON of a value called Lua. */
  encode(values: readonly unknown[]): Encoder {
    if (this.#busy) return new Encoder(this.#host).encode(values)
    this.#busy = true
    this.#length = 1
    this.#backReferences = false
    try {
      for (const value of values) this.#value(value, 0)
    } finally {
      this.#busy = false
      this.#seen = undefined
    }
    this.#bytes[0] = this.#backReferences ? 1 : 0
    return this
  }

  get length(): number {
    return this.#length
  }

  /** For few bytes a loop is cheaper than a view and a call. */
  copyTo(memory: Uint8Array, address: number): void {
    const length = this.#length
    if (length <= SHORT_MESSAGE) {
      const bytes = this.#bytes
      for (let i = 0; i < length; i++) memory[address + i] = bytes[i] ?? 0
      return
    }
    memory.set(this.#bytes.subarray(0, length), address)
    if (this.#bytes.length > KEEP_CAPACITY) this.#resize(CAPACITY)
  }

  #reserve(bytes: number): void {
    if (this.#length + bytes > this.#bytes.length) this.#resize((this.#length + bytes) * 2)
  }

  #resize(capacity: number): void {
    const resized = Buffer.allocUnsafeSlow(capacity)
    this.#bytes.copy(resized, 0, 0, this.#length)
    this.#bytes = resized
    this.#view = viewOf(resized)
  }

  #tag(tag: number): void {
    this.#reserve(1)
    this.#bytes[this.#length++] = tag
  }

  #counted(tag: number, count: number): void {
    this.#reserve(5)
    this.#bytes[this.#length] = tag
    this.#view.setUint32(this.#length + 1, count, true)
    this.#length += 5
  }

  #value(value: unknown, depth: number): void {
    switch (typeof value) {
      case 'undefined':
        this.#tag(Tag.nil)
        return
      case 'boolean':
        this.#tag(value ? Tag.true : Tag.false)
        return
      case 'number':
        this.#number(value)
        return
      case 'string':
        this.#string(value)
        return
      case 'bigint':
        this.#bigint(value)
        return
      case 'object':
        if (value === null) this.#tag(Tag.nil)
        else this.#object(value, depth)
        return
      case 'function':
        throw new TypeError(`cannot pass the function ${value.name || '(anonymous)'} to Lua: register it as a host function`)
      default:
        throw new TypeError(`cannot pass a ${typeof value} to Lua`)
    }
  }

  #number(value: number): void {
    if ((value | 0) === value && !Object.is(value, -0)) {
      this.#reserve(5)
      this.#bytes[this.#length] = Tag.int32
      this.#view.setInt32(this.#length + 1, value, true)
      this.#length += 5
    } else if (Number.isSafeInteger(value) && value !== 0) {
      this.#bigint(BigInt(value))
    } else {
      this.#float(value)
    }
  }

  #float(value: number): void {
    this.#reserve(9)
    this.#bytes[this.#length] = Tag.float
    this.#view.setFloat64(this.#length + 1, value, true)
    this.#length += 9
  }

  #bigint(value: bigint): void {
    if (BigInt.asIntN(64, value) !== value) throw new RangeError(`${value} does not fit a 64-bit Lua integer`)
    this.#reserve(9)
    this.#bytes[this.#length] = Tag.int64
    this.#view.setBigInt64(this.#length + 1, value, true)
    this.#length += 9
  }

  #string(value: string): void {
    const length = value.length
    this.#reserve(5 + length * 3)
    const start = this.#length + 5
    this.#bytes[this.#length] = Tag.string
    const written = length <= SHORT_STRING && this.#ascii(value, start) ? length : this.#bytes.write(value, start)
    this.#view.setUint32(this.#length + 1, written, true)
    this.#length = start + written
  }

  #ascii(value: string, start: number): boolean {
    for (let i = 0; i < value.length; i++) {
      const unit = value.charCodeAt(i)
      if (unit > 127) return false
      this.#bytes[start + i] = unit
    }
    return true
  }

  #rawBytes(value: Uint8Array): void {
    this.#counted(Tag.bytes, value.byteLength)
    this.#reserve(value.byteLength)
    this.#bytes.set(value, this.#length)
    this.#length += value.byteLength
  }

  #object(value: object, depth: number): void {
    if (value instanceof LuaReference) {
      if (!value.isHeldBy(this.#host.references))
        throw new TypeError(`the ${value.constructor.name} was released, or is of another Lua state`)
      this.#counted(Tag.function, value.reference)
      return
    }
    if (value instanceof LuaFloat) {
      this.#float(value.value)
      return
    }
    if (value instanceof HostFunction) {
      if (!this.#host.hasFunction(value)) throw new TypeError(`host function '${value.name}' is of another Lua state`)
      this.#counted(Tag.hostFunction, value.id)
      return
    }
    if (value instanceof Internal) {
      this.#counted(Tag.internal, value.number)
      return
    }
    if (value instanceof ThreadAddress) {
      this.#counted(Tag.threadPointer, value.pointer)
      return
    }
    if (ArrayBuffer.isView(value)) {
      this.#rawBytes(new Uint8Array(value.buffer, value.byteOffset, value.byteLength))
      return
    }
    if (value instanceof ArrayBuffer || value instanceof SharedArrayBuffer) {
      this.#rawBytes(new Uint8Array(value))
      return
    }
    const registered = this.#host.objectHandle(value)
    if (registered) {
      this.#counted(Tag.host, registered.handle)
      this.#reserve(4)
      this.#view.setUint32(this.#length, registered.type, true)
      this.#length += 4
      return
    }
    this.#table(value, depth)
  }

  #table(value: object, depth: number): void {
    this.#seen ??= new Map()
    const number = this.#seen.get(value)
    if (number !== undefined) {
      this.#backReferences = true
      this.#counted(Tag.back, number)
      return
    }
    if (depth >= MAX_DEPTH) throw new RangeError(`value is nested deeper than ${MAX_DEPTH} levels`)
    const isArray = Array.isArray(value)
    if (!isArray && !(value instanceof Map)) {
      const toJson = (value as { toJSON?: unknown }).toJSON
      if (typeof toJson === 'function') {
        this.#value(toJson.call(value), depth + 1)
        return
      }
      const prototype = Object.getPrototypeOf(value)
      if (prototype !== null && Object.getPrototypeOf(prototype) !== null)
        throw new TypeError(`cannot pass an instance of ${prototype.constructor?.name ?? 'a class'} to Lua`)
    }
    this.#seen.set(value, this.#seen.size)
    if (isArray) {
      this.#counted(Tag.array, value.length)
      for (const element of value) this.#value(element, depth + 1)
    } else if (value instanceof Map) {
      this.#map(value, depth)
    } else {
      const keys = Object.keys(value)
      this.#counted(Tag.object, keys.length)
      for (const key of keys) {
        this.#string(key)
        this.#value((value as Record<string, unknown>)[key], depth + 1)
      }
    }
  }

  #map(map: Map<unknown, unknown>, depth: number): void {
    this.#counted(Tag.map, map.size)
    for (const [key, value] of map) {
      if (key === undefined || key === null || Number.isNaN(key)) throw new TypeError(`a Lua table cannot have the key ${String(key)}`)
      this.#value(key, depth + 1)
      this.#value(value, depth + 1)
    }
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
