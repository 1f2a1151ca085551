import { type CodecHost, Tag } from './codec.ts'
import { LuaFunction, LuaThread, LuaUserdata } from './values.ts'

/** Most strings are short and ASCII: building them here is cheaper than a call into the decoder. */
const SHORT_STRING = 16

/** Decodes messages of the VM. */
export class Decoder {
  readonly #host: CodecHost
  #bytes: Buffer = Buffer.alloc(0)
  #view: DataView = new DataView(new ArrayBuffer(0))
  #at = 0
  #seen: object[] = []

  constructor(host: CodecHost) {
    this.#host = host
  }

  /** `memory` is the whole linear memory. */
  decode(memory: Buffer, view: DataView, address: number, count: number): unknown[] {
    this.#bytes = memory
    this.#view = view
    this.#at = address
    const values: unknown[] = new Array(count)
    for (let i = 0; i < count; i++) values[i] = this.#value()
    if (this.#seen.length > 0) this.#seen = []
    return values
  }

  #value(): unknown {
    const tag = this.#bytes[this.#at++]
    switch (tag) {
      case Tag.nil:
        return undefined
      case Tag.false:
        return false
      case Tag.true:
        return true
      case Tag.int32:
        this.#at += 4
        return this.#view.getInt32(this.#at - 4, true)
      case Tag.int64:
        this.#at += 8
        return this.#view.getBigInt64(this.#at - 8, true)
      case Tag.float:
        this.#at += 8
        return this.#view.getFloat64(this.#at - 8, true)
      case Tag.string:
        return this.#string()
      case Tag.bytes: {
        const length = this.#count()
        this.#at += length
        return Uint8Array.from(this.#bytes.subarray(this.#at - length, this.#at))
      }
      case Tag.array:
        return this.#array()
      case Tag.object:
        return this.#object()
      case Tag.map:
        return this.#map()
      case Tag.back:
        return this.#seen[this.#count()]
      default:
        return this.#special(tag)
    }
  }

  #special(tag: number | undefined): unknown {
    const number = this.#count()
    const owner = this.#host.references
    switch (tag) {
      case Tag.function:
        return new LuaFunction(number, owner)
      case Tag.userdata:
        return new LuaUserdata(number, owner)
      case Tag.thread:
        return new LuaThread(number, owner)
      case Tag.host:
        this.#count()
        return this.#host.object(number)
      default:
        throw new Error(`malformed value from Lua (tag ${tag})`)
    }
  }

  #count(): number {
    this.#at += 4
    return this.#view.getUint32(this.#at - 4, true)
  }

  #string(): string {
    const length = this.#count()
    const start = this.#at
    const end = start + length
    this.#at = end
    if (length > SHORT_STRING) return this.#bytes.toString('utf8', start, end)
    let text = ''
    for (let i = start; i < end; i++) {
      const byte = this.#bytes[i] ?? 0
      if (byte > 127) return this.#bytes.toString('utf8', start, end)
      text += String.fromCharCode(byte)
    }
    return text
  }

  #array(): unknown[] {
    const count = this.#count()
    const array: unknown[] = []
    this.#seen.push(array)
    for (let i = 0; i < count; i++) array.push(this.#value())
    return array
  }

  #object(): Record<string, unknown> {
    const count = this.#count()
    const object: Record<string, unknown> = {}
    this.#seen.push(object)
    for (let i = 0; i < count; i++) {
      const key = this.#value() as string
      const value = this.#value()
      if (key === '__proto__') Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true })
      else object[key] = value
    }
    return object
  }

  #map(): Map<unknown, unknown> {
    const count = this.#count()
    const map = new Map<unknown, unknown>()
    this.#seen.push(map)
    for (let i = 0; i < count; i++) {
      const key = this.#value()
      map.set(key, this.#value())
    }
    return map
  }
}
