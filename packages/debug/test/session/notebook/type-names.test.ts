import { expect, test } from 'vitest'
import { notebookType } from '../../../src/session/notebook/type-names.ts'

test.each([
  ['integer', '42', 'int'],
  ['number', '-7', 'int'],
  ['number', '0.5', 'float'],
  ['number', '1e+100', 'float'],
  ['float', '2.0', undefined],
  ['number', 'NaN', 'float'],
  ['integer', '9223372036854775807', undefined],
  ['boolean', 'true', 'bool'],
  ['string', '"x"', 'str'],
  ['table', '{ 1, 2 }', undefined],
  ['undefined', 'undefined', undefined],
])('a notebook is told of %s %s that it is %s', (type, value, name) => {
  expect(notebookType(type, value)).toBe(name)
})
