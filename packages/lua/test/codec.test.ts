import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { HostFunction, type LuaError, LuaFloat, LuaFunction, LuaThread, LuaUserdata } from '../src/index.ts'
import { newState } from './state.ts'

const { vm } = newState()
const [identity] = vm.execute('return function(...) return ... end') as [LuaFunction]
const roundTrip = (value: unknown): unknown => vm.call(identity, [value])[0]

const text = fc.string({ unit: 'binary', maxLength: 40 })
const scalar = fc.oneof(
  text,
  fc.boolean(),
  fc.integer(),
  fc.double({ noNaN: true }),
  fc.maxSafeInteger(),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.uint8Array({ maxLength: 20 }),
)
const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5 },
    scalar,
    fc.array(tie('tree'), { maxLength: 6 }),
    fc.dictionary(text, tie('tree'), { maxKeys: 6 }),
    fc
      .array(fc.tuple(fc.oneof(text, fc.integer(), fc.boolean()), tie('tree')), { minLength: 1, maxLength: 6 })
      .map((entries) => new Map(entries)),
  ),
}))

/** What the documented table of conversions says comes back. */
function expected(value: unknown): unknown {
  if (typeof value === 'bigint') return value >= Number.MIN_SAFE_INTEGER && value <= Number.MAX_SAFE_INTEGER ? Number(value) : value
  if (value instanceof Uint8Array) {
    const decoded = Buffer.from(value).toString()
    return Buffer.from(decoded).equals(value) ? decoded : value
  }
  if (Array.isArray(value)) return value.map(expected)
  if (value instanceof Map) {
    const entries = [...value].map(([key, element]) => [key, expected(element)] as const)
    const keys = entries.map(([key]) => key)
    if (keys.every((key) => typeof key === 'string')) return Object.assign(Object.create(null), Object.fromEntries(entries))
    const sorted = keys.every((key) => Number.isInteger(key)) ? [...(keys as number[])].sort((a, b) => a - b) : undefined
    if (sorted?.every((key, i) => key === i + 1)) return sorted.map((key) => entries.find(([k]) => k === key)?.[1])
    return new Map(entries)
  }
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, expected(v)]))
  return value
}

/** As text: prototypes and the order of keys do not count; -0, holes and types do. */
function plain(value: unknown): string {
  if (value instanceof Uint8Array) return `bytes ${value.join()}`
  if (Array.isArray(value)) return `[${value.map(plain).join()}]`
  if (value instanceof Map) return `map {${sorted([...value].map(([k, v]) => `${typeof k} ${String(k)}: ${plain(v)}`))}}`
  if (typeof value === 'object' && value !== null)
    return `{${sorted(Object.entries(value).map(([k, v]) => `${JSON.stringify(k)}: ${plain(v)}`))}}`
  if (typeof value === 'string') return JSON.stringify(value)
  return Object.is(value, -0) ? '-0' : `${typeof value} ${String(value)}`
}

function sorted(entries: string[]): string {
  return entries.sort().join()
}

describe('values across the border', () => {
  it('come back as the conversion table says', () => {
    fc.assert(
      fc.property(tree, (value) => {
        expect(plain(roundTrip(value))).toEqual(plain(expected(value)))
      }),
      { numRuns: 500 },
    )
  })

  it('keep what is shared and what is a cycle', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 12 }),
        fc.array(fc.tuple(fc.nat(), fc.nat()), { minLength: 1, maxLength: 30 }),
        (count, edges) => {
          const nodes: { id: number; links: object[] }[] = Array.from({ length: count }, (_, id) => ({ id, links: [] }))
          for (const [from, to] of edges) nodes[from % count]?.links.push(nodes[to % count] as object)
          const back = roundTrip(nodes) as typeof nodes
          expect(back.map((node) => node.links.map((link) => back.indexOf(link as (typeof nodes)[number])))).toEqual(
            nodes.map((node) => node.links.map((link) => nodes.indexOf(link as (typeof nodes)[number]))),
          )
        },
      ),
    )
  })

  it('tells integers, floats and big integers apart in Lua', () => {
    const types = (...values: unknown[]) =>
      vm.call(
        (
          vm.execute('return function(...) local r = {} for i, v in ipairs{...} do r[i] = math.type(v) end return r end') as [LuaFunction]
        )[0],
        values,
      )[0]
    expect(types(1, -0, 1.5, 2 ** 53, 2 ** 53 - 1, 10n, new LuaFloat(3), Number.POSITIVE_INFINITY)).toEqual([
      'integer',
      'float',
      'float',
      'float',
      'integer',
      'integer',
      'float',
      'float',
    ])
    expect(vm.execute('return 3.0, math.maxinteger, math.mininteger, 1 << 53, 0/0')).toEqual([
      3,
      2n ** 63n - 1n,
      -(2n ** 63n),
      2n ** 53n,
      Number.NaN,
    ])
    expect(() => roundTrip(2n ** 63n)).toThrow('does not fit a 64-bit Lua integer')
  })

  it('decides between array, object and map by the keys', () => {
    expect(vm.execute('return {1, 2, nil, 4}, {}, {n = 1, "a"}, {[0] = "z"}, {["\\xff"] = 1}, {x = {}}, {nil, 2}')).toEqual([
      [1, 2, undefined, 4],
      {},
      new Map<unknown, unknown>([
        [1, 'a'],
        ['n', 1],
      ]),
      new Map([[0, 'z']]),
      new Map([[Uint8Array.of(0xff), 1]]),
      { x: {} },
      [undefined, 2],
    ])
    // The hash order must not decide: every key counts, wherever it stands.
    expect(vm.execute('local t = {x = 1} t[2] = 2 t[1] = 1 return t')[0]).toEqual(
      new Map<unknown, unknown>([
        ['x', 1],
        [1, 1],
        [2, 2],
      ]),
    )
  })

  it('keeps empty arrays apart from empty objects', () => {
    expect(roundTrip([])).toEqual([])
    expect(roundTrip({})).toEqual({})
    expect(vm.call((vm.execute('return function(t) t.a = 1 return t end') as [LuaFunction])[0], [[]])[0]).toEqual({ a: 1 })
  })

  it('passes strings as text or bytes', () => {
    const everyByte = Uint8Array.from({ length: 256 }, (_, i) => i)
    expect(roundTrip(everyByte)).toEqual(everyByte)
    expect(roundTrip('naïve ☃ 𝄞\0')).toBe('naïve ☃ 𝄞\0')
    expect(roundTrip('\ufeffbom')).toBe('\ufeffbom')
    for (const bad of ['\\xc0\\x80', '\\xed\\xa0\\x80', '\\xf4\\x90\\x80\\x80', '\\xe2\\x82', '\\x80', '\\xf8\\x88\\x80\\x80\\x80'])
      expect(vm.execute(`return "${bad}"`)[0]).toBeInstanceOf(Uint8Array)
    const big = 'é'.repeat(1_000_000)
    expect(roundTrip(big) === big).toBe(true)
  })

  it('keeps a key named __proto__ a key', () => {
    const back = roundTrip(JSON.parse('{"__proto__": {"polluted": true}, "a": 1}')) as object
    expect(Object.keys(back).sort()).toEqual(['__proto__', 'a'])
    expect(Object.getPrototypeOf(back)).toBe(Object.prototype)
  })

  it('bounds nesting with a clear error, both ways', () => {
    let deep: unknown[] = []
    for (let i = 0; i < 499; i++) deep = [deep]
    expect(() => roundTrip(deep)).not.toThrow()
    expect(() => roundTrip([[deep]])).toThrow('nested deeper than 500 levels')
    expect(() => vm.execute('local t = {} for i = 1, 600 do t = {t} end return t')).toThrow('nested deeper than 500 levels')
  })

  it('refuses what has no Lua counterpart, and says so', () => {
    expect(() => roundTrip(() => 1)).toThrow('register it as a host function')
    expect(() => roundTrip(Symbol('x'))).toThrow('cannot pass a symbol')
    expect(() => roundTrip(new Set([1]))).toThrow('instance of Set')
    expect(() => roundTrip(new Map([[Number.NaN, 1]]))).toThrow('key NaN')
    expect(roundTrip(new Date(0))).toBe('1970-01-01T00:00:00.000Z')
  })

  it('survives a getter that calls Lua', () => {
    const value = {
      get inner() {
        return vm.execute('return {1, 2}')[0]
      },
      after: 'x',
    }
    expect(roundTrip(value)).toEqual({ inner: [1, 2], after: 'x' })
  })

  it('keeps functions, coroutines and files as references', () => {
    const [f, co, file] = vm.execute('return function(x) return x + 1 end, coroutine.create(function() end), io.stdout') as unknown[]
    expect(f).toBeInstanceOf(LuaFunction)
    expect(co).toBeInstanceOf(LuaThread)
    expect(file).toBeInstanceOf(LuaUserdata)
    expect(vm.call(f as LuaFunction, [41])).toEqual([42])
    const same = vm.execute('return function(a, b, c) return a == b, type(c) end')[0] as LuaFunction
    expect(vm.call(same, [file, file, co])).toEqual([true, 'thread'])
    ;(f as LuaFunction).release()
    ;(f as LuaFunction).release()
    vm.setGlobal('later', roundTrip(identity))
    expect(vm.execute('return later(1, 2)')).toEqual([1, 2])
  })

  it('refuses references that were released or are of another state', () => {
    const [f] = vm.execute('return function() end') as [LuaFunction]
    expect(() => newState().vm.call(f)).toThrow('of another Lua state')
    f.release()
    expect(() => vm.call(f)).toThrow('was released')
    const other = newState().vm
    expect(() =>
      vm.setGlobal(
        'g',
        other.function('only there', () => 1),
      ),
    ).toThrow("host function 'only there' is of another Lua state")
  })

  it('lets Lua collect what the host has released', () => {
    vm.execute('weak = setmetatable({}, {__mode = "k"})')
    const [f] = vm.execute('local f = function() return weak end weak[f] = true return f') as [LuaFunction]
    const count = 'collectgarbage() local n = 0 for _ in pairs(weak) do n = n + 1 end return n'
    expect(vm.execute(count)).toEqual([1])
    f.release()
    expect(vm.execute(count)).toEqual([0])
  })

  it('passes host functions as values', () => {
    const twice = vm.function('twice', (x: number) => x * 2)
    expect(twice).toBeInstanceOf(HostFunction)
    const api = vm.call((vm.execute('return function(api) return api.math.twice(21) end') as [LuaFunction])[0], [{ math: { twice } }])
    expect(api).toEqual([42])
  })

  it('keeps error values of any kind', () => {
    const failure = (code: string): LuaError => {
      try {
        vm.execute(code)
      } catch (error) {
        return error as LuaError
      }
      throw new Error('did not fail')
    }
    expect(failure('error({code = 7, nested = {1}})').value).toEqual({ code: 7, nested: [1] })
    expect(failure('error()')).toMatchObject({ value: undefined, message: '(error object is a nil value)' })
    expect(failure('error(setmetatable({}, {__tostring = function() return "text" end}))').message).toBe('text')
    expect(failure('local t = {} for i = 1, 600 do t = {t} end error(t)').message).toBe('(error object is a table value)')
  })
})
