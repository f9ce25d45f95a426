import type { Sights } from '../../src/engine/sights.ts'

/** Nobody looks at more than traffic and metrics. */
export function plainSights(): Sights {
  const lookout = { look: async () => {}, close: async () => {} }
  return {
    calendar: () => null,
    checker: { ...lookout, readings: () => ({}) },
    replicas: { ...lookout, reading: () => null },
    tasks: { want: () => {}, readings: () => ({}), close: async () => {} },
  }
}
