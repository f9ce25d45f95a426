import { missing, type SliReading, type TargetReading } from '../../src/core/observation.ts'
import type { Plan } from '../../src/core/plan.ts'
import type { PhaseName } from '../../src/core/state.ts'
import type { MetricSource } from '../../src/ports/source.ts'
import { createBudgetMemory } from '../../src/preflight/budget-memory.ts'
import { createChecker } from '../../src/preflight/checker.ts'
import type { CheckPorts } from '../../src/preflight/world.ts'
import { createFakeClock } from '../../src/simulate/clock.ts'
import { createFakeLog } from '../../src/simulate/runtime.ts'
import { createFakeClusters } from '../fakes/cluster.ts'

export const START_MS = 1_000_000_000

/** A checker among fakes, in which all is well. */
export function checkerRig(changes: Partial<CheckPorts> = {}) {
  const clock = createFakeClock(START_MS)
  const log = createFakeLog()
  const clusters = createFakeClusters()
  const sources = changes.sources ?? new Map<string, MetricSource>()
  const sli = (): SliReading => missing('no-baseline', 'not read yet')
  const target = (): TargetReading | undefined => undefined
  const checker = createChecker({
    clustersOf: () => clusters,
    sources,
    promql: null,
    prober: { probe: async () => ({ kind: 'passed', seconds: 0.1 }), close: async () => {} },
    certificates: { read: async () => ({ kind: 'valid', daysLeft: 60, names: [] }) },
    sli,
    target,
    budget: createBudgetMemory(sources, clock),
    clock,
    log,
    ...changes,
  })
  /** One sweep's look at these plans. */
  const look = (plans: readonly Plan[], phase: PhaseName = 'preflight', signal = new AbortController().signal) =>
    checker.look(
      plans.map((plan) => ({ plan, phase })),
      signal,
    )
  const outcomes = (plan: Plan) =>
    Object.fromEntries(Object.entries(checker.readings(plan)).map(([id, { outcome }]) => [id, outcome]))
  return { checker, clock, log, clusters, look, outcomes }
}
