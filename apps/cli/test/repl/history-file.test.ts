import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { HistoryFile } from '../../src/repl/history-file.ts'

const open = (path: string): HistoryFile =>
  new HistoryFile(path, (error) => {
    throw error
  })

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'llmspell-history-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

it('keeps entries of several lines from one prompt to the next, for its owner alone', () => {
  const path = join(directory, 'deep', 'history')
  const first = open(path)
  for (const entry of ['a', 'a', 'for x\nend', ' secret', '']) first.add(entry)
  expect(open(path).entries).toEqual(['a', 'for x\nend'])
  expect(statSync(path).mode & 0o777).toBe(0o600)
})

it('loses nothing when two prompts write', () => {
  const path = join(directory, 'history')
  const [one, two] = [open(path), open(path)]
  one.add('1')
  two.add('2')
  one.add('3')
  expect(open(path).entries).toEqual(['1', '2', '3'])
})

it('passes over a line that was cut off', () => {
  const path = join(directory, 'history')
  open(path).add('whole')
  appendFileSync(path, '"half\n"after"\n7\n')
  expect(open(path).entries).toEqual(['whole', 'after'])
})

it('is cut when it grows long', () => {
  const path = join(directory, 'history')
  writeFileSync(path, Array.from({ length: 8_000 }, (_, i) => `"${i}"\n`).join(''))
  const { entries } = open(path)
  expect(entries.length).toBe(5_000)
  expect(entries.at(-1)).toBe('7999')
  expect(readFileSync(path, 'utf8').trim().split('\n').length).toBe(5_000)
})

it('goes on in memory, and says so once, where the file cannot be written', () => {
  writeFileSync(join(directory, 'file'), '')
  const problems: unknown[] = []
  const history = new HistoryFile(join(directory, 'file', 'history'), (error) => problems.push(error))
  history.add('one')
  history.add('two')
  expect(history.entries).toEqual(['one', 'two'])
  expect(problems).toEqual([expect.objectContaining({ code: expect.stringMatching(/ENOTDIR|EEXIST/) })])
})
