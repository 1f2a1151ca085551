import { appendFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { stripVTControlCharacters } from 'node:util'

const ERROR_LINES = 6
const LINE_LENGTH = 200

/**
 * Closes a test run with `N passed, N failed, N skipped`. In the folder that LLMSPELL_TEST_REPORT names it appends the numbers to
 * `counts`, what failed to `failed`, what passed only when tried again to `flaky`, and what did not run, with its reason, to `skipped`:
 * of a long run only the end is kept.
 */
export default class SummaryReporter {
  onTestRunEnd(modules, unhandledErrors) {
    const counts = { passed: 0, failed: 0, skipped: 0 }
    const report = { failed: '', flaky: '', skipped: '' }
    const fail = (where, errors) => {
      counts.failed++
      report.failed += entry('failed', where, errors)
    }
    for (const module of modules) {
      const file = `${module.project.name} ${relative(process.cwd(), module.moduleId)}`
      if (module.errors().length > 0) fail(file, module.errors())
      // Tests behind a hook that failed count as skipped; the suite is what failed.
      for (const suite of module.children.allSuites()) {
        if (suite.errors().length > 0) fail(`${file} > ${suite.fullName} (its hooks)`, suite.errors())
      }
      for (const test of module.children.allTests()) {
        const where = `${file} > ${test.fullName}`
        const result = test.result()
        if (result?.state === 'failed') fail(where, test.attempts()[0]?.errors ?? result.errors)
        else if (result?.state === 'passed') {
          counts.passed++
          if (test.diagnostic()?.flaky) report.flaky += entry('flaky', where, test.attempts()[0]?.errors)
        } else {
          counts.skipped++
          report.skipped += entry('skipped', `${where}: ${result?.note ?? 'no reason given'}`)
        }
      }
    }
    for (const error of unhandledErrors) fail('outside of any test', [error])
    console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
    const folder = process.env.LLMSPELL_TEST_REPORT
    if (!folder) return
    appendFileSync(join(folder, 'counts'), `${counts.passed} ${counts.failed} ${counts.skipped}\n`)
    for (const [name, text] of Object.entries(report)) appendFileSync(join(folder, name), text)
  }
}

function told({ name = 'Error', message, diff }) {
  return stripVTControlCharacters(`${name}: ${message}\n${diff ?? ''}`)
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(0, ERROR_LINES)
}

/** One test: a line that says which, and the first lines of its first error. */
function entry(kind, where, errors = []) {
  const error = errors[0]
  const at = error?.stacks?.[0]
  const text = error ? [...told(error), ...(error.cause ? told(error.cause).map((line) => `because ${line}`) : [])] : []
  if (at) text.push(`at ${relative(process.cwd(), at.file)}:${at.line}`)
  const cut = (line) => (line.length > LINE_LENGTH ? `${line.slice(0, LINE_LENGTH)}…` : line)
  return `${[`${kind}: ${stripVTControlCharacters(where)}`, ...text.map((line) => `    ${line}`)].map(cut).join('\n')}\n`
}
