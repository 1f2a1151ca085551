import { expect, it } from 'vitest'
import { type Context, secondsOption } from '../src/context.ts'

const given = (timeout?: string): Context => ({ invocation: { options: timeout === undefined ? {} : { timeout } } }) as Context

it('seconds become milliseconds that a timer can wait', () => {
  expect(secondsOption(given('1.5'), 'timeout')).toBe(1_500)
  expect(secondsOption(given('999999999'), 'timeout')).toBe(2 ** 31 - 1)
  expect(secondsOption(given(), 'timeout')).toBeUndefined()
})
