import { expect, test } from 'vitest'
import { matches } from './samples.ts'

test('an ellipsis stands for text in a line, alone for lines', () => {
  expect(matches('pid …, ready\n', 'pid 12, ready\n')).toBe(true)
  expect(matches('a\n…\nz\n', 'a\nb\nc\nz\n')).toBe(true)
  expect(matches('a\nz\n', 'a\nb\nz\n')).toBe(false)
  expect(matches('1.5\n', '1x5\n')).toBe(false)
})
