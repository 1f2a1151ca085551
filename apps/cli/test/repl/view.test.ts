import { describe, expect, it } from 'vitest'
import { layOut } from '../../src/repl/view.ts'

const lay = (text: string, cursor: number, columns = 10) =>
  layOut(text, cursor, { prompt: '> ', promptWidth: 2, continuation: '… ', columns, highlight: (t) => t })

describe('rows and the cursor', () => {
  it.each([
    ['', 0, 1, 0, 2],
    ['abc', 1, 1, 0, 3],
    ['abc\nde', 6, 2, 1, 4],
    ['abc\nde', 2, 2, 0, 4],
    ['abcdefghij', 10, 2, 1, 2], // wrapped after eight letters
    ['abcdefgh', 8, 2, 1, 0], // exactly full: the cursor stands on the next row
    ['日本日本日', 5, 2, 1, 2], // wide letters
  ])('%j at %i', (text, cursor, rows, cursorRow, cursorColumn) => {
    expect(lay(text, cursor)).toMatchObject({ rows, cursorRow, cursorColumn })
  })

  it('puts the continuation before further lines', () => {
    expect(lay('a\nb', 0).ansi).toBe('> a\r\n… b')
  })
})
