import { readdirSync, readFileSync } from 'node:fs'
import { defineConfig } from 'vitest/config'

// `npm test`: the tests of every package and app, of the tooling and of the documents' samples.
// The suites with clients of other people and whole processes under load have their own: vitest.suites.config.ts.
export default defineConfig({
  test: {
    projects: [
      ...folders('packages'),
      ...folders('apps'),
      { extends: true, test: { name: 'tooling', include: ['tooling/test/**/*.test.ts'] } },
      { extends: true, test: { name: 'docs', include: ['docs/test/**/*.test.ts'], testTimeout: 120_000 } },
    ],
    reporters: ['default', './scripts/summary-reporter.mjs'],
    // Tests start processes and workers of their own; more than one file per core only makes them wait for each other.
    maxWorkers: 2,
    passWithNoTests: false,
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // A machine that others load may miss a time-out. What passed only when tried again is listed at the end of `.ci/run` with its error.
    retry: process.env.CI ? 2 : 0,
  },
})

/** A folder named alone would be a project with defaults of its own: it would not see the time-outs above. */
function folders(parent: string) {
  return readdirSync(parent).map((folder) => {
    const root = `${parent}/${folder}`
    const { name } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as { name: string }
    return { extends: true as const, test: { name, root } }
  })
}
