import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { CellFiles } from '../../src/debugging/cell-files.ts'
import { cellDirectory, cellNames } from '../../src/debugging/cell-names.ts'

test('cells of the same text may be dumped at once; each is there whole, for its owner alone', async () => {
  const before = process.env['TMPDIR']
  const directory = mkdtempSync(join(tmpdir(), 'llmspell-cells-test-'))
  process.env['TMPDIR'] = directory
  onTestFinished(() => {
    if (before === undefined) delete process.env['TMPDIR']
    else process.env['TMPDIR'] = before
    rmSync(directory, { recursive: true, force: true })
  })
  const files = new CellFiles(cellNames('lua'))
  const code = 'print("안녕")'
  const paths = new Set(await Promise.all(Array.from({ length: 20 }, () => files.dump(code))))
  const [path = ''] = paths
  expect(paths.size).toBe(1)
  expect(readFileSync(path, 'utf8')).toBe(code)
  expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(readdirSync(cellDirectory())).toHaveLength(1)
})
