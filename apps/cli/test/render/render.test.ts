import { describe, expect, it } from 'vitest'
import { excerpt } from '../../src/render/excerpt.ts'
import { renderMarkdown } from '../../src/render/markdown.ts'
import { duration } from '../../src/render/quantities.ts'
import { table } from '../../src/render/table.ts'

describe('excerpt', () => {
  const code = 'one\ntwo\n\tthree()\nfour\nfive'

  it('shows the lines around the place and points at it', () => {
    expect(excerpt(code, { source: 'x', line: 3, column: 2 }, false)).toBe('  1 | one\n  2 | two\n> 3 | \tthree()\n    | \t^\n  4 | four')
  })

  it.each([
    [1, '> 1 | one\n  2 | two'],
    [5, '  3 | \tthree()\n  4 | four\n> 5 | five'],
  ])('stays within the text at line %i', (line, expected) => {
    expect(excerpt(code, { source: 'x', line }, false)).toBe(expected)
  })

  it('says nothing of a line that is not there', () => {
    expect(excerpt(code, { source: 'x', line: 9 }, false)).toBeUndefined()
  })
})

it('renders Markdown and leaves code alone', () => {
  const text = renderMarkdown('# Title\n- **a** `**b**`\n```\n*c*\n```\n[d](http://e)')
  expect(text).toBe('\x1b[1mTitle\x1b[22m\n• \x1b[1ma\x1b[22m \x1b[36m**b**\x1b[39m\n  \x1b[36m*c*\x1b[39m\nd (\x1b[4mhttp://e\x1b[24m)')
})

it.each([
  [400, '0 s'],
  [59_000, '59 s'],
  [61_000, '1 min'],
  [3_600_000, '1 h'],
  [3_900_000, '1 h 5 min'],
  [200_000_000, '2 d'],
])('%i ms is %s', (ms, text) => {
  expect(duration(ms)).toBe(text)
})

it('aligns tables without trailing blanks', () => {
  expect(
    table(
      ['A', 'BB'],
      [
        ['long', ''],
        ['x', 'y'],
      ],
    ),
  ).toBe('A     BB\nlong\nx     y\n')
})
