import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseCell, parseDraft } from '../src/cell-magic.ts'

test.each([
  ['%%lua\nx', { language: 'lua', code: '\nx', removed: 5 }],
  ['%%js  \r\nx', { language: 'javascript', code: '\nx', removed: 7 }],
  ['%%ts', { language: 'typescript', code: '', removed: 4 }],
  [' %%js\nx', { language: 'lua', code: ' %%js\nx', removed: 0 }],
  ['x %% 2', { language: 'lua', code: 'x %% 2', removed: 0 }],
])('%j', (text, cell) => {
  expect(parseCell(text, 'lua')).toEqual(cell)
})

test.each(['%%', '%%python\nx', '%%js now\nx', '%%lua=1'])('%j is refused', (text) => {
  expect(() => parseCell(text, 'lua')).toThrow()
  expect(parseDraft(text, 'lua')).toEqual({ language: 'lua', code: text, removed: 0 })
})

test('what is removed is a prefix, and lines keep their numbers', () => {
  fc.assert(
    fc.property(fc.constantFrom('%%lua', '%%ts', ''), fc.string(), (magic, rest) => {
      const text = `${magic}\n${rest}`
      const { code, removed } = parseCell(text, 'javascript')
      expect(code).toBe(text.slice(removed))
      expect(code.split('\n')).toHaveLength(text.split('\n').length)
    }),
  )
})
