import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { StateDriver } from '../driver.ts'

export interface StateDriverMaker {
  /** An empty store of its own for each test. */
  open(): StateDriver | Promise<StateDriver>
  /** Removes what `open` made, after the driver was closed. */
  cleanUp?(): void | Promise<void>
}

/** What every `StateDriver` must do; run it for each implementation. */
export function describeStateDriver(name: string, maker: StateDriverMaker): void {
  describe(`${name}: state driver contract`, () => {
    let driver: StateDriver
    beforeEach(async () => {
      driver = await maker.open()
    })
    afterEach(async () => {
      driver.close()
      await maker.cleanUp?.()
    })

    it('gives back what was put, with version and time', () => {
      const before = Date.now()
      const written = driver.put('global', 'a', '{"x":1}')
      expect(written).toMatchObject({ scope: 'global', key: 'a', value: '{"x":1}', version: 1 })
      expect(written.updatedAt).toBeGreaterThanOrEqual(before)
      expect(driver.get('global', 'a')).toEqual(written)
    })

    it('knows nothing of keys never written, in any scope', () => {
      driver.put('one', 'a', '1')
      expect(driver.get('two', 'a')).toBeUndefined()
      expect(driver.get('one', 'A')).toBeUndefined()
      expect(driver.delete('two', 'a')).toBe(false)
      expect(driver.scan('two', '')).toEqual([])
    })

    it('counts a version per key', () => {
      expect([1, 2, 3].map((n) => driver.put('s', 'a', String(n)).version)).toEqual([1, 2, 3])
      expect(driver.put('s', 'b', '1').version).toBe(1)
    })

    it('writes with an expected version only at that version', () => {
      expect(driver.put('s', 'a', '1', 0).version).toBe(1)
      expect(driver.put('s', 'a', '2', 1).version).toBe(2)
      const conflict = (expected: number, found: number) =>
        expect.objectContaining({ code: 'state.version_conflict', data: expect.objectContaining({ scope: 's', expected, found }) })
      expect(() => driver.put('s', 'a', '3', 1)).toThrow(conflict(1, 2))
      expect(() => driver.put('s', 'a', '3', 0)).toThrow(conflict(0, 2))
      expect(() => driver.put('s', 'new', '3', 1)).toThrow(conflict(1, 0))
      expect(driver.get('s', 'a')).toMatchObject({ value: '2', version: 2 })
      expect(driver.get('s', 'new')).toBeUndefined()
    })

    it('deletes once', () => {
      driver.put('s', 'a', '1')
      expect(driver.delete('s', 'a')).toBe(true)
      expect(driver.delete('s', 'a')).toBe(false)
      expect(driver.get('s', 'a')).toBeUndefined()
    })

    it('scans a prefix in code point order, up to a limit', () => {
      for (const key of ['b', 'a:2', 'a:10', 'a', 'a;', 'ab', 'a:\u{1f600}', 'a:\uffee', '\u{10ffff}x', '\ud7ffq', '100%', '1_0'])
        driver.put('s', key, '1')
      driver.put('other', 'a:9', '1')
      expect(driver.keys('s', 'a:')).toEqual(['a:10', 'a:2', 'a:\uffee', 'a:\u{1f600}'])
      expect(driver.keys('s', 'a:', 2)).toEqual(['a:10', 'a:2'])
      expect(driver.scan('s', 'a:', 2).map((entry) => entry.key)).toEqual(['a:10', 'a:2'])
      expect(driver.keys('s', '\u{10ffff}')).toEqual(['\u{10ffff}x'])
      expect(driver.keys('s', '\ud7ff')).toEqual(['\ud7ffq'])
      expect(driver.keys('s', '1%')).toEqual([])
      expect(driver.keys('s', '')).toHaveLength(12)
      expect(driver.keys('s', '', 0)).toEqual([])
    })

    it('lists scopes that hold something', () => {
      driver.put('b', 'k', '1')
      driver.put('a', 'k', '1')
      driver.put('c', 'k', '1')
      driver.delete('c', 'k')
      expect(driver.scopes()).toEqual(['a', 'b'])
    })

    it('keeps all of a transaction or nothing', () => {
      driver.put('s', 'a', '1')
      const failing = (): void =>
        driver.transaction(() => {
          driver.put('s', 'a', '2')
          driver.put('s', 'b', '1')
          driver.delete('s', 'a')
          throw new Error('stop')
        })
      expect(failing).toThrow('stop')
      expect(driver.get('s', 'a')).toMatchObject({ value: '1', version: 1 })
      expect(driver.keys('s', '')).toEqual(['a'])
      expect(driver.transaction(() => driver.put('s', 'b', '1').version)).toBe(1)
      expect(driver.keys('s', '')).toEqual(['a', 'b'])
    })

    it('nests transactions: an inner failure that is caught undoes the inner one alone', () => {
      driver.transaction(() => {
        driver.put('s', 'outer', '1')
        expect(() =>
          driver.transaction(() => {
            driver.put('s', 'inner', '1')
            throw new Error('stop')
          }),
        ).toThrow('stop')
        driver.put('s', 'after', '1')
      })
      expect(driver.keys('s', '')).toEqual(['after', 'outer'])
    })

    it('undoes an inner transaction together with a failing outer one', () => {
      expect(() =>
        driver.transaction(() => {
          driver.transaction(() => driver.put('s', 'inner', '1'))
          throw new Error('stop')
        }),
      ).toThrow('stop')
      expect(driver.keys('s', '')).toEqual([])
    })

    it('refuses an async transaction and writes nothing', () => {
      expect(() =>
        driver.transaction(async () => {
          driver.put('s', 'a', '1')
        }),
      ).toThrow()
      expect(driver.get('s', 'a')).toBeUndefined()
    })

    it('holds any text', () => {
      const value = JSON.stringify({ text: 'é\u{1f600}\u0000\n"\\', long: 'x'.repeat(1 << 20) })
      driver.put('ключ', 'スコープ/🔑', value)
      expect(driver.get('ключ', 'スコープ/🔑')?.value).toBe(value)
    })

    it('refuses use after close, which may be called twice', () => {
      driver.close()
      driver.close()
      const closed = expect.objectContaining({ code: 'state.closed' })
      expect(() => driver.get('s', 'a')).toThrow(closed)
      expect(() => driver.put('s', 'a', '1')).toThrow(closed)
      expect(() => driver.transaction(() => 1)).toThrow(closed)
    })
  })
}
