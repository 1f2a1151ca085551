import { expect, test } from 'vitest'
import { codeOf, LlmspellError, messageOf } from '../src/errors.ts'

test('an error carries code, data, hint and cause', () => {
  const cause = new Error('disk full')
  const error = new LlmspellError('cannot write', { code: 'state.write_failed', data: { key: 'a' }, hint: 'free some space', cause })
  expect(error).toMatchObject({ message: 'cannot write', code: 'state.write_failed', data: { key: 'a' }, hint: 'free some space', cause })
  expect(LlmspellError.is(error)).toBe(true)
  expect(LlmspellError.is(cause)).toBe(false)
})

test('codes and messages of whatever was thrown', () => {
  expect(codeOf(Object.assign(new Error('x'), { code: 'ENOENT' }))).toBe('ENOENT')
  expect(codeOf('text')).toBeUndefined()
  expect(codeOf(null)).toBeUndefined()
  expect(messageOf('text')).toBe('text')
  expect(messageOf(new Error('x'))).toBe('x')
})
