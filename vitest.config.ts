import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { SlowestFirst } from './test/support/slowest-first.ts'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Waiting is for conditions; this only ends a test that hangs, after `until` has told what did not come.
    testTimeout: 300_000,
    hookTimeout: 300_000,
    // Tests of real migrations wait for seconds, and use little of a processor.
    maxConcurrency: 8,
    // Many files wait for real servers, and leave the processors to others.
    maxWorkers: availableParallelism() + 1,
    sequence: { sequencer: SlowestFirst },
    globalSetup: ['test/support/skipped-suites.ts'],
  },
})
