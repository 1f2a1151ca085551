/** Jupyter counts code points, JavaScript UTF-16 units. */
export function utf16ToCodePoints(text: string, offset: number): number {
  let count = 0
  for (let i = 0; i < offset && i < text.length; count++) i += (text.codePointAt(i) as number) > 0xffff ? 2 : 1
  return count
}

export function codePointsToUtf16(text: string, offset: number): number {
  let i = 0
  for (let count = 0; count < offset && i < text.length; count++) i += (text.codePointAt(i) as number) > 0xffff ? 2 : 1
  return i
}
