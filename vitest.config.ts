import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Waiting is for conditions; this only ends a test that hangs, after `until` has told what did not come.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // Tests of real migrations wait for seconds, and use little of a processor.
    maxConcurrency: 8,
    // On two processors Vitest would take one file after the other.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    globalSetup: ['test/support/skipped-suites.ts'],
  },
})
