import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { HistoryFile } from '../../src/repl/history-file.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'llmspell-history-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

it('keeps entries of several lines from one prompt to the next, for its owner alone', () => {
  const path = join(directory, 'deep', 'history')
  const first = new HistoryFile(path)
  for (const entry of ['a', 'a', 'for x\nend', ' secret', '']) first.add(entry)
  expect(new HistoryFile(path).entries).toEqual(['a', 'for x\nend'])
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

it('loses nothing when two prompts write', () => {
  const path = join(directory, 'history')
  const [one, two] = [new HistoryFile(path), new HistoryFile(path)]
  one.add('1')
  two.add('2')
  one.add('3')
  expect(new HistoryFile(path).entries).toEqual(['1', '2', '3'])
})

it('passes over a line that was cut off', () => {
  const path = join(directory, 'history')
  new HistoryFile(path).add('whole')
  appendFileSync(path, '"half\n"after"\n7\n')
  expect(new HistoryFile(path).entries).toEqual(['whole', 'after'])
})

it('is cut when it grows long', () => {
  const path = join(directory, 'history')
  writeFileSync(path, Array.from({ length: 8_000 }, (_, i) => `"${i}"\n`).join(''))
  const { entries } = new HistoryFile(path)
  expect(entries.length).toBe(5_000)
  expect(entries.at(-1)).toBe('7999')
  expect(readFileSync(path, 'utf8').trim().split('\n').length).toBe(5_000)
})
