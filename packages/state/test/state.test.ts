import { beforeEach, describe, expect, it } from 'vitest'
import { createMemoryDriver } from '../src/drivers/memory.ts'
import { createState, type State } from '../src/state.ts'

let state: State
beforeEach(() => {
  state = createState(createMemoryDriver(() => 1234))
})

describe('State', () => {
  it('gives back equal values, also null and false', () => {
    for (const value of [null, false, 0, '', [], {}, { a: [1, { b: null }] }]) {
      state.set('s', 'k', value)
      expect(state.get('s', 'k')).toEqual(value)
      expect(state.has('s', 'k')).toBe(true)
    }
    expect(state.get('s', 'other')).toBeUndefined()
    expect(state.has('s', 'other')).toBe(false)
  })

  it('keeps a copy, not the object', () => {
    const value = { list: [1] }
    state.set('s', 'k', value)
    value.list.push(2)
    expect(state.get('s', 'k')).toEqual({ list: [1] })
  })

  it('tells version and time, and compares before it sets', () => {
    expect(state.set('s', 'k', 'a', { expectedVersion: 0 })).toBe(1)
    expect(state.set('s', 'k', 'b', { expectedVersion: 1 })).toBe(2)
    expect(() => state.set('s', 'k', 'c', { expectedVersion: 1 })).toThrow(expect.objectContaining({ code: 'state.version_conflict' }))
    expect(state.entry('s', 'k')).toEqual({ value: 'b', version: 2, updatedAt: 1234 })
  })

  it('lists and clears by prefix', () => {
    for (const key of ['user:1', 'user:2', 'other']) state.set('s', key, key)
    expect(state.keys('s')).toEqual(['other', 'user:1', 'user:2'])
    expect(state.keys('s', { prefix: 'user:', limit: 1 })).toEqual(['user:1'])
    expect(state.entries('s', { prefix: 'user:' })).toEqual([
      { key: 'user:1', value: 'user:1' },
      { key: 'user:2', value: 'user:2' },
    ])
    expect(state.clear('s', 'user:')).toBe(2)
    expect(state.keys('s')).toEqual(['other'])
    expect(state.clear('s')).toBe(1)
    expect(state.scopes()).toEqual([])
  })

  it.each(['', 'a\nb', 'a\u0000', '\ud800', 'x'.repeat(513), 'é'.repeat(257), 7, null, undefined])('refuses the name %j', (name) => {
    expect(() => state.set('s', name as string, 1)).toThrow(expect.objectContaining({ code: 'state.bad_key' }))
    expect(() => state.get('s', name as string)).toThrow(expect.objectContaining({ code: 'state.bad_key' }))
    expect(() => state.delete(name as string, 'k')).toThrow(expect.objectContaining({ code: 'state.bad_scope' }))
    expect(state.scopes()).toEqual([])
  })

  it('accepts names up to the limit', () => {
    state.set('s', 'é'.repeat(256), 1)
    expect(state.keys('s')).toHaveLength(1)
  })

  it.each([-1, 1.5, Number.NaN, '3'])('refuses the limit and version %j', (bad) => {
    expect(() => state.keys('s', { limit: bad as number })).toThrow(expect.objectContaining({ code: 'state.bad_limit' }))
    expect(() => state.set('s', 'k', 1, { expectedVersion: bad as number })).toThrow(expect.objectContaining({ code: 'state.bad_version' }))
  })

  it('refuses a value that is too large and keeps the old one', () => {
    const small = createState(createMemoryDriver(), { maxValueBytes: 10 })
    small.set('s', 'k', 'x'.repeat(8))
    expect(() => small.set('s', 'k', 'x'.repeat(9))).toThrow(
      expect.objectContaining({ code: 'state.value_too_large', data: { key: 'k', bytes: 11, maxBytes: 10 } }),
    )
    expect(small.get('s', 'k')).toBe('x'.repeat(8))
  })
})
