import { expect, test } from 'vitest'
import { jsonLogger, traceEnabled } from '../src/logger.ts'

test('writes one JSON object a line, from the minimum level up, with the fields of its parents', () => {
  const lines: string[] = []
  const logger = jsonLogger((line) => lines.push(line), 'info').child({ kernel: 'k1' })
  logger.log('debug', 'not seen')
  logger.log('warn', 'two\nlines', { port: 1 })
  expect(lines).toHaveLength(1)
  expect(lines[0]?.endsWith('\n')).toBe(true)
  expect(JSON.parse(lines[0] as string)).toMatchObject({ level: 'warn', msg: 'two\nlines', kernel: 'k1', port: 1 })
})

test('trace topics', () => {
  expect(traceEnabled('jupyter', 'engine, jupyter')).toBe(true)
  expect(traceEnabled('jupyter', 'all')).toBe(true)
  expect(traceEnabled('jupyter', 'jupyter-zmq')).toBe(false)
  expect(traceEnabled('jupyter', undefined)).toBe(false)
})
