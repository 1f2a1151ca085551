import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'

const root = join(import.meta.dirname, '../..')
const RUN_MS = 120_000

let folder: string
let printed: string
const reported = (name: string): string => readFileSync(join(folder, 'report', name), 'utf8')

/** A test run with every way to end, under the reporter. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'llmspell-summary-'))
  mkdirSync(join(folder, 'report'))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  writeFileSync(
    join(folder, 'ways.test.js'),
    `import { beforeAll, describe, expect, it } from 'vitest'
let tries = 0
it('passes', () => {})
it('fails', () => expect({ sum: 1 + 1 }).toEqual({ sum: 3 }))
it('fails at first', () => {
  try { expect(++tries).toBe(2) } catch (cause) { throw new Error('the first try', { cause }) }
})
it('cannot run', ({ skip }) => skip('no such tool'))
describe('behind a hook', () => {
  beforeAll(() => { throw new Error('the hook\\n' + 'line\\n'.repeat(50)) })
  it('never runs', () => {})
})
`,
  )
  writeFileSync(join(folder, 'broken.test.js'), `throw new Error('cannot be read')\n`)
  const config = { root: folder, retry: 1, reporters: [join(root, 'scripts/summary-reporter.mjs')] }
  writeFileSync(join(folder, 'vitest.config.js'), `export default { test: ${JSON.stringify(config)} }\n`)
  const { CI: _ci, ...env } = process.env
  const run = spawnSync(process.execPath, [join(root, 'node_modules/vitest/vitest.mjs'), 'run'], {
    cwd: folder,
    env: { ...env, LLMSPELL_TEST_REPORT: join(folder, 'report') },
    encoding: 'utf8',
    timeout: RUN_MS,
  })
  printed = `${run.stdout}${run.stderr}`
}, RUN_MS)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

it('counts tests, files that cannot be read, and hooks that fail', () => {
  expect(printed).toContain('2 passed, 3 failed, 2 skipped')
  expect(reported('counts')).toBe('2 3 2\n')
})

it('lists what failed with the first lines of its error', () => {
  const failed = reported('failed')
  expect(failed).toMatch(/^failed: .*ways\.test\.js > fails\n {4}AssertionError: expected/m)
  expect(failed).toMatch(/^ {4}at ways\.test\.js:4$/m)
  expect(failed).toMatch(/^failed: .*broken\.test\.js\n {4}Error: cannot be read$/m)
  expect(failed).toMatch(/^failed: .*ways\.test\.js > behind a hook \(its hooks\)\n {4}Error: the hook$/m)
  expect(failed.split('\n').length).toBeLessThan(30)
})

it('lists what passed only when tried again with its first error', () => {
  expect(reported('flaky')).toMatch(
    /^flaky: .*ways\.test\.js > fails at first\n {4}Error: the first try\n {4}because AssertionError: expected 1 to be 2/,
  )
})

it('lists what did not run with its reason', () => {
  expect(reported('skipped')).toMatch(/^skipped: .*ways\.test\.js > cannot run: no such tool$/m)
})
