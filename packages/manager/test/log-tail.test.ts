import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { logTail } from '../src/log-tail.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'llmspell-log-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

it('gives the last lines, from a place on, of at most so many bytes', () => {
  const path = join(directory, 'log')
  writeFileSync(path, 'one\ntwo\nthree\n')
  expect(logTail(path, 2)).toBe('two\nthree')
  expect(logTail(path, 9)).toBe('one\ntwo\nthree')
  expect(logTail(path, 9, { from: 8 })).toBe('three')
  expect(logTail(path, 9, { maxBytes: 6 })).toBe('three')
  expect(logTail(join(directory, 'none'), 5)).toBe('')
})
