/** What the guard can ask of the agent in the script thread. */
export interface Agent {
  survey(value: object): Survey
  page(value: object, start: number, count: number): object
  slice(value: object, start: number, count: number): object
  entries(value: object, start: number, count: number): object
  pick(value: object, names: string): object
  own(value: object): string[]
  merge(target: object, source: object): void
  /** Names of what scripts have put into the global object. */
  made(global: object): string[]
  prototype(value: object): unknown
  box(value: unknown): unknown
  /** What a stand-in stands for. */
  whole(value: unknown): unknown
  read(value: object, offset: number, count: number): { data: string; unreadable: number }
  get(holder: object, key: string, receiver: unknown): unknown
  set(target: object, key: string, value: unknown): unknown
  setEntry(collection: object, index: number, value: unknown): unknown
  names(value: unknown, prefix: string, max: number): [string, string][]
  stack(): AsyncFrame[]
  error(value: unknown): { name: string; message: string; stack: string; call?: string }
  check(slot: number, test: (() => unknown) | undefined, operator: string, count: number): number
  log(
    slot: number,
    test: (() => unknown) | undefined,
    operator: string,
    count: number,
    parts: readonly (string | (() => unknown))[],
  ): number
  fail(slot: number, message: string): number
  reset(slot: number): void
}

export interface Survey {
  /** Own properties that are no indices. */
  keys: number
  /** Elements of an array or a typed array. */
  indexed?: number
  /** Entries of a Map or Set. */
  entries?: number
  /** One of the properties is better not sent as a whole, or a variable that has no value yet. */
  long: boolean
}

export interface AsyncFrame {
  name: string
  url: string
  hash: string
  line: number
  column: number
}

export type AgentMessage =
  | { t: 'hit'; slot: number }
  | { t: 'failed'; slot: number; message: string }
  | { t: 'log'; slot: number; text: string }

/** Class names of the stand-ins: of a long text, and of a Map or Set that V8 would read as a whole to show its first entries. */
export const LONG_TEXT = 'LlmspellText'
export const LARGE = 'LlmspellLarge'

/**
 * The debugger's part in the script thread. Its source is evaluated in a realm of its own, so that nothing a script does to the
 * built-in objects reaches it, and so that it must not use anything from outside of itself. It runs no code of the script: no getter, no trap
 * of a proxy, no iterator. `Reflect` is that of the script's realm, as it was at the start: Node makes some globals when they are first
 * looked at, and aborts when that happens in a realm that is not its own.
 */
export function makeAgent(
  emit: (message: string) => void,
  inspect: (value: unknown, options: object) => string,
  ScriptError: ErrorConstructor,
  isFound: (key: string) => boolean,
  { ownKeys, getOwnPropertyDescriptor, getPrototypeOf, apply, set: setProperty }: typeof Reflect,
): Agent {
  const LONG = 10_000
  // V8 cuts more out of the middle.
  const SHOWN = 96
  const MANY = 10_000
  const LARGE_SIZE = 1000
  const typedPrototype = getPrototypeOf(Uint8Array.prototype) as object
  const lengthOf = getOwnPropertyDescriptor(typedPrototype, 'length')?.get as () => number
  const tagOf = getOwnPropertyDescriptor(typedPrototype, Symbol.toStringTag)?.get as () => string | undefined
  const mapSize = getOwnPropertyDescriptor(Map.prototype, 'size')?.get as () => number
  const setSize = getOwnPropertyDescriptor(Set.prototype, 'size')?.get as () => number
  const hits = new Map<number, number>()

  class LlmspellText {
    readonly text: string
    readonly length: number
    constructor(text: string) {
      this.text = text.slice(0, SHOWN)
      this.length = text.length
    }
  }

  class LlmspellLarge {
    readonly text: string
    declare readonly whole: object
    constructor(whole: object, text: string) {
      this.text = text
      Object.defineProperty(this, 'whole', { value: whole, enumerable: false })
    }
  }

  const isLong = (value: unknown): value is string => typeof value === 'string' && value.length > LONG
  const isTyped = (value: object): boolean => apply(tagOf, value, []) !== undefined
  const sizeOf = (value: object): number | undefined => {
    try {
      return apply(mapSize, value, [])
    } catch {}
    try {
      return apply(setSize, value, [])
    } catch {}
    return undefined
  }
  const isLarge = (value: unknown): value is object => typeof value === 'object' && value !== null && (sizeOf(value) ?? 0) > LARGE_SIZE
  const isMap = (value: object): boolean => {
    try {
      return apply(mapSize, value, []) >= 0
    } catch {
      return false
    }
  }
  const box = (value: unknown): unknown => {
    if (isLong(value)) return new LlmspellText(value)
    return isLarge(value) ? new LlmspellLarge(value, `${isMap(value) ? 'Map' : 'Set'}(${sizeOf(value)})`) : value
  }
  const indexedOf = (value: object): number | undefined => {
    if (Array.isArray(value)) return value.length
    return isTyped(value) ? apply(lengthOf, value, []) : undefined
  }
  const isIndex = (key: string | symbol): boolean => typeof key === 'string' && /^(?:0|[1-9]\d{0,9})$/.test(key)
  /** Keys of what is not an element. */
  const keysOf = (value: object): (string | symbol)[] => {
    const indexed = indexedOf(value)
    // To list the keys of millions of elements takes seconds.
    if (indexed !== undefined && indexed > MANY) return isTyped(value) ? [] : ['length']
    const keys = ownKeys(value)
    if (indexed === undefined) return keys
    // The elements come first.
    let at = 0
    while (at < keys.length && isIndex(keys[at] as string)) at++
    return keys.slice(at)
  }
  /** A variable that has no value yet throws: it is shown as an accessor without functions. */
  const descriptorOf = (from: object, key: string | symbol): PropertyDescriptor | undefined => {
    try {
      return getOwnPropertyDescriptor(from, key)
    } catch {
      return { get: undefined, set: undefined, enumerable: true, configurable: true } as object
    }
  }
  const copy = (from: object, keys: readonly (string | symbol)[]): object => {
    const out = Object.create(null) as object
    for (const key of keys) {
      const found = descriptorOf(from, key)
      if (!found) continue
      if ('value' in found) found.value = box(found.value)
      found.configurable = true
      Object.defineProperty(out, key, found)
    }
    return out
  }
  const nth = (values: Iterator<unknown>, start: number, count: number): unknown[] => {
    const out: unknown[] = []
    for (let index = 0; ; index++) {
      const next = values.next()
      if (next.done || index >= start + count) return out
      if (index >= start) out.push(next.value)
    }
  }
  const counted = (slot: number, operator: string, count: number): boolean => {
    if (operator === '') return true
    const now = (hits.get(slot) ?? 0) + 1
    hits.set(slot, now)
    switch (operator) {
      case '==':
        return now === count
      case '>=':
        return now >= count
      case '>':
        return now > count
      case '<=':
        return now <= count
      case '<':
        return now < count
      default:
        return count > 0 && now % count === 0
    }
  }
  const tell = (message: object): void => emit(JSON.stringify(message))
  const messageOf = (error: unknown): string => {
    try {
      const { name, message } = error as { name?: unknown; message?: unknown }
      return typeof message === 'string' ? `${String(name)}: ${message}` : String(error)
    } catch {
      return 'an error that cannot be shown'
    }
  }
  /** 0: not met, 1: met, 2: failed. */
  const met = (slot: number, test: (() => unknown) | undefined, operator: string, count: number): 0 | 1 | 2 => {
    try {
      if (test !== undefined && !test()) return 0
    } catch (error) {
      tell({ t: 'failed', slot, message: messageOf(error) })
      return 2
    }
    return counted(slot, operator, count) ? 1 : 0
  }
  const shown = (value: unknown): string => {
    if (typeof value === 'string') return value.length > LONG ? `${value.slice(0, LONG)}…` : value
    return inspect(value, { depth: 2, breakLength: Infinity, maxArrayLength: 100, maxStringLength: LONG })
  }

  return {
    survey(value) {
      const keys = keysOf(value)
      const indexed = indexedOf(value)
      const entries = sizeOf(value)
      let long = false
      for (let at = 0; at < keys.length && at < 2000 && !long; at++) {
        const found = descriptorOf(value, keys[at] as string)
        long =
          isLong(found?.value) ||
          isLarge(found?.value) ||
          (found !== undefined && !('value' in found) && found.get === undefined && found.set === undefined)
      }
      return { keys: keys.length, long, ...(indexed !== undefined && { indexed }), ...(entries !== undefined && { entries }) }
    },
    page: (value, start, count) => copy(value, keysOf(value).slice(start, start + count)),
    slice(value, start, count) {
      const end = Math.min(start + count, indexedOf(value) ?? 0)
      const keys: string[] = []
      for (let at = start; at < end; at++) keys.push(String(at))
      return copy(value, keys)
    },
    entries(value, start, count) {
      const out = Object.create(null) as Record<string, unknown>
      let found: unknown[]
      try {
        found = nth(apply(Map.prototype.entries, value, []), start, count).map((entry) => {
          const [key, one] = entry as [unknown, unknown]
          return { key: box(key), value: box(one) }
        })
      } catch {
        found = nth(apply(Set.prototype.values, value, []), start, count).map(box)
      }
      for (let at = 0; at < found.length; at++) out[String(start + at)] = found[at]
      return out
    },
    pick: (value, names) =>
      copy(
        value,
        (JSON.parse(names) as string[]).filter((name) => getOwnPropertyDescriptor(value, name) !== undefined),
      ),
    own: (value) => ownKeys(value).filter((key): key is string => typeof key === 'string'),
    merge(target, source) {
      for (const key of ownKeys(source)) Object.defineProperty(target, key, { ...descriptorOf(source, key), configurable: true })
    },
    made: (global) => ownKeys(global).filter((key): key is string => typeof key === 'string' && !isFound(key)),
    prototype: (value) => getPrototypeOf(value),
    box,
    whole: (value) => (value instanceof LlmspellLarge ? value.whole : value),
    read(value, offset, count) {
      let bytes: Uint8Array
      if (ArrayBuffer.isView(value)) bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength)
      else bytes = new Uint8Array(value as ArrayBuffer)
      const start = Math.min(Math.max(0, offset), bytes.length)
      const end = Math.min(start + Math.max(0, count), bytes.length)
      let binary = ''
      for (let at = start; at < end; at++) binary += (bytes[at] as number).toString(16).padStart(2, '0')
      return { data: binary, unreadable: count - (end - start) }
    },
    get: (holder, key, receiver) => {
      const found = getOwnPropertyDescriptor(holder, key)
      return box(found?.get ? apply(found.get, receiver, []) : found?.value)
    },
    set(target, key, value) {
      if (!setProperty(target, key, value)) throw new TypeError(`Cannot assign to read only property '${key}'`)
      return box(value)
    },
    setEntry(collection, index, value) {
      const [entry] = nth(apply(Map.prototype.entries, collection, []), index, 1) as [[unknown, unknown]]
      apply(Map.prototype.set, collection, [entry[0], value])
      return box(value)
    },
    names(value, prefix, max) {
      const out: [string, string][] = []
      const seen = new Set<string>()
      let holder = (value === null || value === undefined ? null : Object(value)) as object | null
      for (let depth = 0; holder !== null && depth < 20 && out.length < max; depth++, holder = getPrototypeOf(holder)) {
        for (const key of ownKeys(holder)) {
          if (typeof key !== 'string' || seen.has(key) || !key.startsWith(prefix)) continue
          if (out.length >= max) break
          seen.add(key)
          out.push([key, typeof descriptorOf(holder, key)?.value === 'function' ? 'function' : 'property'])
        }
      }
      return out
    },
    stack() {
      const { stackTraceLimit } = ScriptError
      const prepare = getOwnPropertyDescriptor(ScriptError, 'prepareStackTrace')
      const out: AsyncFrame[] = []
      try {
        ScriptError.stackTraceLimit = 200
        Object.defineProperty(ScriptError, 'prepareStackTrace', {
          configurable: true,
          writable: true,
          value: (_: unknown, frames: NodeJS.CallSite[]) => {
            for (const frame of frames) {
              if (!frame.isAsync()) continue
              out.push({
                name: frame.isPromiseAll() ? `Promise.all (index ${frame.getPromiseIndex()})` : (frame.getFunctionName() ?? ''),
                url: frame.getScriptNameOrSourceURL() ?? '',
                hash: frame.getScriptHash(),
                line: frame.getLineNumber() ?? 0,
                column: frame.getColumnNumber() ?? 0,
              })
            }
            return ''
          },
        })
        void new ScriptError().stack
      } finally {
        ScriptError.stackTraceLimit = stackTraceLimit
        if (prepare) Object.defineProperty(ScriptError, 'prepareStackTrace', prepare)
        else Reflect.deleteProperty(ScriptError, 'prepareStackTrace')
      }
      return out
    },
    error(value) {
      const read = (key: string): string => {
        let holder = value as object | null
        while (holder !== null && typeof holder === 'object') {
          const found = getOwnPropertyDescriptor(holder, key)
          // That of V8 is no code of the script.
          if (found) return 'value' in found ? String(found.value) : key === 'stack' && found.get ? String(apply(found.get, value, [])) : ''
          holder = getPrototypeOf(holder)
        }
        return ''
      }
      const call = getOwnPropertyDescriptor(value as object, Symbol.for('llmspell.call'))?.value as unknown
      return { name: read('name'), message: read('message'), stack: read('stack'), ...(typeof call === 'string' && { call }) }
    },
    check(slot, test, operator, count) {
      const result = met(slot, test, operator, count)
      if (result !== 0) tell({ t: 'hit', slot })
      return result
    },
    log(slot, test, operator, count, parts) {
      if (met(slot, test, operator, count) !== 1) return 0
      let text = ''
      for (const part of parts) {
        if (typeof part === 'string') text += part
        else {
          try {
            text += shown(part())
          } catch (error) {
            const message = messageOf(error)
            text += `<${message}>`
            tell({ t: 'failed', slot, message })
          }
        }
      }
      tell({ t: 'log', slot, text })
      return 0
    },
    fail(slot, message) {
      tell({ t: 'failed', slot, message })
      tell({ t: 'hit', slot })
      return 1
    },
    reset(slot) {
      hits.delete(slot)
    },
  }
}
