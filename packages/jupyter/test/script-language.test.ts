import { expect, test } from 'vitest'
import { scriptLanguage } from '../src/script-language.ts'

test.each([
  ['/a/b.lua', 'lua'],
  ['x.JS', 'javascript'],
  ['x.d.mts', 'typescript'],
  ['C:\\dir\\x.cts', 'typescript'],
  ['x.cjs', 'javascript'],
  ['x', undefined],
  ['.lua', undefined],
  ['dir/.ts', undefined],
  ['x.constructor', undefined],
  ['x.lua/', undefined],
])('%s is %s', (file, language) => expect(scriptLanguage(file)).toBe(language))
