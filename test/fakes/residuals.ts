import { missing } from '../../src/core/observation.ts'
import type { Residual, Residuals } from '../../src/ports/residual.ts'

/** Residuals as a test says them, by workload; of the others nothing can be told. */
export function fakeResiduals(known: Readonly<Record<string, Partial<Residual>>> = {}): Residuals {
  const none: Residual = { seconds: 3600, untilMs: 0, requests: missing('empty', 'there are no series of old'), by: [] }
  return {
    of: async (plans) => new Map(plans.map(({ workload }) => [workload, { ...none, ...known[workload] }])),
  }
}
