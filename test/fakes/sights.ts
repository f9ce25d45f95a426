import type { Sights } from '../../src/engine/sights.ts'

/** Nobody looks at more than traffic and metrics. */
export function plainSights(): Sights {
  const passed = { outcome: 'pass', sentence: 'nobody looks here', hint: null, atMs: Number.MAX_SAFE_INTEGER } as const
  const lookout = { look: async () => {}, close: async () => {} }
  return {
    calendar: () => null,
    checker: { ...lookout, readings: ({ checks }) => Object.fromEntries(checks.map(({ id }) => [id, passed])) },
    replicas: { ...lookout, reading: () => null },
    tasks: { want: () => {}, readings: () => ({}), close: async () => {} },
  }
}
