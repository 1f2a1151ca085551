import { describe, expect, it } from 'vitest'
import { newProbe, newState } from './state.ts'

const { vm } = newState()
const probe = newProbe(vm)
const value = (source: string) => probe.evaluate(source, undefined)
const open = (source: string, page = {}) => probe.expand(value(source).reference, page)

describe('values', () => {
  it.each([
    ['("x"):rep(1000)', `"${'x'.repeat(200)}"… (1000 bytes)`],
    [String.raw`"two\nlines\0"`, String.raw`"two\nlines\0"`],
    [String.raw`"\xff\xfe"`, String.raw`"\xFF\xFE"`],
    ['("ü"):rep(150)', `"${'ü'.repeat(100)}"… (300 bytes)`],
    ['{1, 2, x = "y"}', '{1, 2, x = "y"}'],
    ['{}', '{}'],
    ['setmetatable({1}, {__name = "Point"})', 'Point {1}'],
    ['{{}, {1}}', '{{}, {…}}'],
    ['3.0', '3.0'],
    ['nil', 'nil'],
    ['1, 2, "three"', '1, 2, "three"'],
    ['print', 'function: built-in'],
  ])('of %s read %s', (source, text) => {
    expect(value(source).value).toBe(text)
  })

  it('never run metamethods of the program', () => {
    vm.execute('trap = setmetatable({1}, {__index = error, __len = error, __pairs = error, __tostring = error, __name = "Trap"})')
    expect(value('trap').value).toBe('Trap {1}')
    expect(open('trap')?.map(({ name }) => name)).toEqual(['[1]', '[[metatable]]'])
  })
})

describe('tables', () => {
  it('open page by page: the sequence, then names in order', () => {
    vm.execute('big = {} for i = 1, 2500 do big[i] = i end big.z = 1 big.a = 2 big[-1] = 3')
    expect(value('big')).toMatchObject({ indexed: 2500, named: 3 })
    expect(open('big')).toHaveLength(2503)
    expect(open('big', { start: 2498, count: 4 })?.map(({ name }) => name)).toEqual(['[2499]', '[2500]', '[-1]', 'a'])
    expect(open('big', { filter: 'named' })?.map(({ name }) => name)).toEqual(['[-1]', 'a', 'z'])
    expect(open('big', { filter: 'named', start: 1, count: 1 })?.map(({ name }) => name)).toEqual(['a'])
    expect(open('big', { filter: 'indexed', start: 2499, count: 10 })?.map(({ name }) => name)).toEqual(['[2500]'])
  })

  it('of a million entries answer a page at a time, wherever it is', () => {
    vm.execute('huge = {} for i = 1, 1000000 do huge["key" .. i] = i end')
    expect(value('huge')).toMatchObject({ indexed: 0, named: 1_000_000 })
    expect(open('huge')).toHaveLength(10_000)
    const pages = [0, 500_000, 999_900].map((start) => open('huge', { start, count: 100 })?.map(({ name }) => name) ?? [])
    expect(pages.map((page) => page.length)).toEqual([100, 100, 100])
    expect(new Set(pages.flat()).size).toBe(300)
    expect(open('huge', { start: 999_950, count: 100 })).toHaveLength(50)
    vm.execute('huge = nil collectgarbage()')
  })

  it('open in circles', () => {
    vm.execute('cycle = {} cycle.self = cycle setmetatable(cycle, cycle)')
    let reference = value('cycle').reference
    for (let i = 0; i < 10; i++) {
      const inside = probe.expand(reference, {})
      expect(inside?.map(({ name }) => name)).toEqual(['self', '[[metatable]]'])
      reference = inside?.[0]?.reference ?? 0
    }
  })

  it('are set by any key that is shown', () => {
    vm.execute('t = {10, [2.5] = 1, ["a b"] = 1, [true] = 1, name = 1} key = {} t[key] = 1')
    const { reference } = value('t')
    for (const { name } of probe.expand(reference, {}) ?? []) probe.setInside(reference, name, '"set"', undefined)
    expect(vm.execute('return t[1], t[2.5], t["a b"], t[true], t.name, t[key]')).toEqual(Array(6).fill('set'))
    expect(() => probe.setInside(reference, 'name', 'error("no")', undefined)).toThrow('no')
    expect(() => probe.setInside(reference, 'name', '1 +', undefined)).toThrow('unexpected symbol')
  })
})

describe('references', () => {
  it('end with clear', () => {
    const { reference } = value('{1}')
    expect(probe.expand(reference, {})).toHaveLength(1)
    probe.clear()
    expect(probe.expand(reference, {})).toBeUndefined()
  })

  it('give the bytes of strings', () => {
    const { memory, bytes } = value(String.raw`"\0\xff" .. ("x"):rep(100000000)`)
    expect(bytes).toBe(100_000_002)
    expect(probe.bytes(memory ?? 0, 0, 4)).toEqual({ data: new Uint8Array([0, 255, 120, 120]), length: 100_000_002 })
    expect(probe.bytes(memory ?? 0, 100_000_000, 100)?.data.length).toBe(2)
    expect(probe.bytes(memory ?? 0, 200_000_000, 100)?.data.length).toBe(0)
    probe.clear()
  })
})

describe('errors of evaluated code', () => {
  it.each([
    ['1 +', 'unexpected symbol near <eof>'],
    ['x =', 'unexpected symbol near <eof>'],
    ['nothing.there', "attempt to index a nil value (global 'nothing')"],
    ['error({message = "of a table"})', 'of a table'],
    ['error({code = 1})', '{code = 1}'],
    ['error()', 'nil'],
  ])('%s: %s', (source, message) => {
    expect(() => value(source)).toThrow(message)
  })
})
