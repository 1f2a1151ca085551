import { defineConfig } from 'vitest/config'

/** The suites that start whole kernels and other people's clients; apart from the root configuration, because they take minutes. */
export default defineConfig({
  test: {
    projects: ['conformance', 'e2e'].map((name) => ({
      test: {
        name: `@llmspell/${name}`,
        root: new URL(name, import.meta.url).pathname,
        include: ['test/**/*.test.ts'],
        hookTimeout: 120_000,
      },
    })),
    // each file starts kernels of its own: more at once than there are processors only makes them wait for each other
    fileParallelism: false,
    passWithNoTests: false,
  },
})
