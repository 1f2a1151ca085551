import { describe, expect, test } from 'vitest'
import { isComplete } from '../../src/javascript/source/is-complete.ts'

describe('isComplete', () => {
  test.each([
    ['typescript', 'const a: = 1', 'invalid'],
    ['typescript', 'function f(a: ) {}', 'invalid'],
    ['typescript', 'const x: Array<', 'incomplete'],
    ['typescript', 'enum E {', 'incomplete'],
    ['typescript', 'type T = Array<string>', 'complete'],
    ['javascript', 'x = = 1', 'invalid'],
    ['javascript', 'foo(1,', 'incomplete'],
    ['javascript', 'await 1', 'complete'],
  ] as const)('%s: %s is %s', (language, code, status) => {
    expect(isComplete(code, language).status).toBe(status)
  })
})
