import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Waiting is for conditions; this only ends a test that hangs.
    testTimeout: 30_000,
    hookTimeout: 30_000,
    globalSetup: [],
  },
})
