import type { Observation } from '../../src/core/observation.ts'
import type { Plan, PlanStep } from '../../src/core/plan.ts'

/** A plan's parts around the weights, with nothing in them. */
export const PLAIN_PLAN = {
  synthetics: [],
  objects: null,
  checks: [],
  checkRules: {
    certificateDays: 14,
    clockSeconds: 5,
    ttlSeconds: 300,
    errorBudgetPercent: 10,
    mayDiffer: [],
    stateful: null,
    replication: null,
  },
  hooks: [],
  capacity: null,
  drain: { maxRequests: 0, connections: null, by: [] },
} as const satisfies Partial<Plan>

/** What a step is beside its weight, when it is nothing else. */
export const PLAIN_STEP = { trial: null, warm: null, approval: null } as const satisfies Partial<PlanStep>

/** What is seen of the world where nobody looks at more than traffic and metrics. */
export const PLAIN_SIGHT = {
  calendar: null,
  fleet: { waitsFor: null, verdicts: [] },
  checks: {},
  replicas: null,
  tasks: {},
} as const satisfies Partial<Observation>
