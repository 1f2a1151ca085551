import fc from 'fast-check'
import { expect, it } from 'vitest'
import { codePointsToUtf16, utf16ToCodePoints } from '../src/positions.ts'

it('counts as Array.from does, and comes back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.nat(20), (text, n) => {
      const points = Array.from(text)
      const count = Math.min(n, points.length)
      const offset = codePointsToUtf16(text, count)
      expect(text.slice(0, offset)).toBe(points.slice(0, count).join(''))
      expect(utf16ToCodePoints(text, offset)).toBe(count)
    }),
  )
})
