import { stripVTControlCharacters } from 'node:util'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { highlight } from '../../src/repl/highlight.ts'

const visible = (text: string): string => text.replaceAll('\x1b', '␛')

const languages = ['lua', 'javascript', 'typescript'] as const

it.each([
  ['lua', 'local x = 1 -- c', ['local', '1', '-- c']],
  ['lua', '[==[ a\n]] b ]==] .. "x"', ['[==[ a', ']] b ]==]', '"x"']],
  ['lua', '--[[ a\nb ]] nil', ['--[[ a', 'b ]]', 'nil']],
  ['lua', '"open', ['"open']],
  ['javascript', 'const s = `a$1\nb`; // end', ['const', '`a$1', 'b`', '// end']],
  ['typescript', 'interface A { n: 0x1f }', ['interface', '0x1f']],
  ['javascript', 'constant', []],
] as const)('%s: %s', (language, text, coloured) => {
  const found = [...visible(highlight(text, language)).matchAll(/␛\[\d+m(.*?)␛\[0m/g)].map(([, part]) => part)
  expect(found).toEqual(coloured)
})

it('changes nothing but colours, and no colour crosses the end of a line', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[ -~\n]{0,80}$/), fc.constantFrom(...languages), (text, language) => {
      const painted = highlight(text, language)
      expect(stripVTControlCharacters(painted)).toBe(text)
      for (const line of visible(painted).split('\n')) expect(line.split('␛[0m').length * 2).toBe(line.split('␛[').length + 1)
    }),
  )
})
