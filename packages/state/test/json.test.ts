import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeJson } from '../src/json.ts'

const bad = (value: unknown): unknown => {
  try {
    encodeJson(value)
  } catch (error) {
    return error
  }
  throw new Error('was accepted')
}

describe('encodeJson', () => {
  it('keeps every JSON value', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(JSON.parse(encodeJson(value))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  it('takes the same object twice and objects without prototype', () => {
    const shared = { x: 1 }
    expect(encodeJson([shared, shared])).toBe('[{"x":1},{"x":1}]')
    expect(encodeJson(Object.assign(Object.create(null), { a: 1 }))).toBe('{"a":1}')
  })

  const cyclic: Record<string, unknown> = { a: { b: [] } }
  ;(cyclic['a'] as { b: unknown[] }).b.push(cyclic)
  let deep: unknown = 1
  for (let i = 0; i < 100_000; i++) deep = [deep]

  it.each([
    [undefined, '', /missing/],
    [() => 1, '', /function/],
    [Symbol('x'), '', /symbol/],
    [Number.NaN, '', /NaN/],
    [{ a: { b: [1, Number.POSITIVE_INFINITY] } }, 'a.b[1]', /Infinity/],
    [{ a: undefined }, 'a', /undefined/],
    [[1, undefined], '[1]', /undefined/],
    [2n ** 60n, '', /integer/],
    [new Date(0), '', /Date/],
    [{ m: new Map() }, 'm', /Map/],
    [new Uint8Array(2), '', /Uint8Array/],
    [cyclic, 'a.b[0]', /back/],
  ])('refuses %o and says where', (value, path, message) => {
    expect(bad(value)).toMatchObject({ code: 'state.bad_value', data: { path }, message: expect.stringMatching(message) })
  })

  it('refuses what is nested too deep instead of running out of stack', () => {
    expect(bad(deep)).toMatchObject({ code: 'state.bad_value', message: expect.stringContaining('deeper') })
  })
})
