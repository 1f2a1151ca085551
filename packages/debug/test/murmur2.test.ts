import { expect, it } from 'vitest'
import { cellSource, isCellSource, murmur2 } from '../src/index.ts'

// Computed by ipykernel 6.17 (`ipykernel.compiler.murmur2_x86`), whose seed this is.
const SEED = 0xc70f6907
const vectors: readonly [string, number][] = [
  ['', 3990065800],
  ['a', 2167009006],
  ['ab', 2805137849],
  ['abc', 3350977461],
  ['abcd', 804720481],
  ["print('hi')", 788889629],
  ['日本語', 584879906],
  ['🦊', 3655151968],
  ['local größe = 1\nprint(größe) -- 한국어 🦊', 3183343966],
]

it.each(vectors)('hashes %j as Jupyter does', (text, hash) => {
  expect(murmur2(text, SEED)).toBe(hash)
})

it('depends on the seed', () => {
  expect(murmur2('abcd', 0)).toBe(646393889)
  expect(murmur2('', 0)).toBe(0)
})

it('names cells by their whole text', () => {
  const naming = { prefix: '/tmp/cells/', suffix: '.lua', seed: SEED }
  expect(cellSource(naming, '🦊')).toBe('/tmp/cells/3655151968.lua')
  expect(isCellSource(naming, '/tmp/cells/3655151968.lua')).toBe(true)
  expect(isCellSource(naming, '/tmp/other/1.lua')).toBe(false)
})
