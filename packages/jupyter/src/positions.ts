/**
 * The protocol counts Unicode code points, JavaScript counts UTF-16 units. Converted here and nowhere else. Offsets out of
 * range, fractional or not a number are clamped: clients send such, and a completion is no reason to fail.
 */

const SURROGATE = /[\ud800-\udfff]/

/** From code points to UTF-16 units. */
export function toUtf16Offset(text: string, codePoints: number): number {
  const wanted = clamp(codePoints, text.length)
  if (!SURROGATE.test(text)) return wanted
  let units = 0
  for (let seen = 0; seen < wanted && units < text.length; seen++) units += isPair(text, units) ? 2 : 1
  return units
}

/** From UTF-16 units to code points; an offset in the middle of a pair counts as before it. */
export function toCodePointOffset(text: string, units: number): number {
  const wanted = clamp(units, text.length)
  if (!SURROGATE.test(text)) return wanted
  let codePoints = 0
  for (let at = 0; at < wanted; codePoints++) {
    const next = at + (isPair(text, at) ? 2 : 1)
    if (next > wanted) break
    at = next
  }
  return codePoints
}

export function codePointLength(text: string): number {
  return toCodePointOffset(text, text.length)
}

/** A lone surrogate is a code point of its own, as it is for JSON and for string iteration. */
function isPair(text: string, at: number): boolean {
  return (text.codePointAt(at) ?? 0) > 0xffff
}

function clamp(offset: number, highest: number): number {
  return Number.isNaN(offset) ? 0 : Math.min(Math.max(Math.trunc(offset), 0), highest)
}
