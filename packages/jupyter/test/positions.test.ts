import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { codePointLength, toCodePointOffset, toUtf16Offset } from '../src/positions.ts'

describe('offsets', () => {
  it('count a character outside the basic plane as one code point and two units', () => {
    expect(toUtf16Offset('a😀b', 2)).toBe(3)
    expect(toCodePointOffset('a😀b', 3)).toBe(2)
    expect(codePointLength('a😀b')).toBe(3)
  })

  it('keep combining marks and lone surrogates as code points of their own', () => {
    expect(codePointLength('e\u0301한')).toBe(3)
    expect(codePointLength('\ud800x\udc00')).toBe(3)
  })

  it('in the middle of a pair count as before it', () => {
    expect(toCodePointOffset('😀', 1)).toBe(0)
  })

  it('out of range are clamped', () => {
    for (const convert of [toUtf16Offset, toCodePointOffset]) {
      expect(convert('abc', -5)).toBe(0)
      expect(convert('abc', 99)).toBe(3)
      expect(convert('abc', 1.9)).toBe(1)
      expect(convert('abc', Number.NaN)).toBe(0)
      expect(convert('a😀', Number.POSITIVE_INFINITY)).toBe(convert === toUtf16Offset ? 3 : 2)
    }
  })

  it('agree with string iteration for any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat({ max: 40 }), (text, offset) => {
        const points = Array.from(text)
        const clamped = Math.min(offset, points.length)
        const units = points.slice(0, clamped).join('').length
        expect(toUtf16Offset(text, offset)).toBe(units)
        expect(toCodePointOffset(text, units)).toBe(clamped)
        expect(codePointLength(text)).toBe(points.length)
      }),
    )
  })
})
