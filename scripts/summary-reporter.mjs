import { appendFileSync } from 'node:fs'

/** Closes a test run with `N passed, N failed, N skipped`, and appends the numbers to the file that LLMSPELL_TEST_SUMMARY names. */
export default class SummaryReporter {
  onTestRunEnd(modules, unhandledErrors) {
    let passed = 0
    let failed = 0
    let skipped = 0
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const state = test.result()?.state
        if (state === 'passed') passed++
        else if (state === 'failed') failed++
        else skipped++
      }
      failed += module.errors().length > 0 ? 1 : 0
    }
    failed += unhandledErrors.length
    console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`)
    const file = process.env.LLMSPELL_TEST_SUMMARY
    if (file) appendFileSync(file, `${passed} ${failed} ${skipped}\n`)
  }
}
