import fc from 'fast-check'
import { expect, test } from 'vitest'
import { nearest } from '../src/suggest.ts'

const words = ['kernel', 'kernelspec', 'config', 'exec', 'run', 'repl']

test.each([
  ['kernal', 'kernel'],
  ['kernle', 'kernel'],
  ['confg', 'config'],
  ['RUN', 'run'],
  ['rnu', 'run'],
  ['kernelspecs', 'kernelspec'],
])('%s is meant as %s', (word, meant) => expect(nearest(word, words)).toBe(meant))

test('nothing is suggested for a word that is far from all', () => {
  expect(nearest('dashboard', words)).toBeUndefined()
  expect(nearest('x', words)).toBeUndefined()
})

test('a known word is its own nearest', () => {
  fc.assert(fc.property(fc.constantFrom(...words), (word) => nearest(word, words) === word))
})
