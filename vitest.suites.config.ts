import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { defineConfig } from 'vitest/config'

// Suites that drive the built product with programs of other people and under load. One file at a time: they measure
// what a machine of two cores can bear.
export default defineConfig({
  test: {
    projects: suites('testing'),
    reporters: ['default', './scripts/summary-reporter.mjs'],
    fileParallelism: false,
    maxWorkers: 1,
    passWithNoTests: false,
    testTimeout: 300_000,
    hookTimeout: 120_000,
    // As in vitest.config.ts.
    retry: process.env.CI ? 2 : 0,
  },
})

/** Every folder that has tests. One named alone would be a project with defaults of its own: it would not see the time-outs above. */
function suites(parent: string) {
  return readdirSync(parent)
    .filter((folder) => existsSync(`${parent}/${folder}/test`))
    .map((folder) => {
      const root = `${parent}/${folder}`
      const { name } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as { name: string }
      return { extends: true as const, test: { name, root } }
    })
}
