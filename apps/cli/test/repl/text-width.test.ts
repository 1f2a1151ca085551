import { expect, it } from 'vitest'
import { textWidth } from '../../src/repl/text-width.ts'

it.each([
  ['abc', 3],
  ['日本', 4],
  ['한글', 4],
  ['e\u0301', 1],
  ['é', 1],
  ['😀', 2],
  ['👩‍👩‍👧', 2],
  ['❤️', 2],
  ['ｆｕ', 4],
  ['', 0],
])('%s takes %i columns', (text, width) => {
  expect(textWidth(text)).toBe(width)
})
