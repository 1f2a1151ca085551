import { defineConfig } from 'vitest/config'

// Suites that drive the built product with programs of other people and under load. One file at a time: they measure
// what a machine of two cores can bear.
export default defineConfig({
  test: {
    projects: ['testing/conformance', 'testing/e2e'],
    reporters: ['default', './scripts/summary-reporter.mjs'],
    fileParallelism: false,
    maxWorkers: 1,
    passWithNoTests: false,
    testTimeout: 300_000,
    hookTimeout: 120_000,
  },
})
