import { expect, test } from 'vitest'
import { parseDocumentationQuery } from '../src/documentation-query.ts'

test.each([
  ['State.get?', { name: 'State.get', detail: 0 }],
  ['\n  string.format??\n', { name: 'string.format', detail: 1 }],
  ['?print', { name: 'print', detail: 0 }],
  ['file:read?', { name: 'file:read', detail: 0 }],
])('%j asks for documentation', (code, query) => expect(parseDocumentationQuery(code)).toEqual(query))

test.each(['a ? b : c', 'f()?', 'a?.b', '"x"?', '?', 'x?\ny', 'a b?', ''])('%j is code', (code) =>
  expect(parseDocumentationQuery(code)).toBeUndefined(),
)
