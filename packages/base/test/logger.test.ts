import { expect, test } from 'vitest'
import { traceEnabled } from '../src/logger.ts'

test('trace topics', () => {
  expect(traceEnabled('jupyter', 'engine, jupyter')).toBe(true)
  expect(traceEnabled('jupyter', 'all')).toBe(true)
  expect(traceEnabled('jupyter', 'jupyter-zmq')).toBe(false)
  expect(traceEnabled('jupyter', undefined)).toBe(false)
})
