import { initialState } from '../core/initial.ts'
import type { Plan, ProbeSpec } from '../core/plan.ts'
import type { RolloutState } from '../core/state.ts'
import type { Share } from '../shared/share.ts'

/** What a plan says of the parts that came after weights and gates, where it was pinned before there were any. */
const PLAN_BEFORE_PARTS = {
  synthetics: [],
  objects: null,
  checks: [],
  hooks: [],
  capacity: null,
  drain: { maxRequests: 0, connections: null, by: [] },
} as const satisfies Partial<Plan>

const NO_ALLOWANCE: Pick<ProbeSpec, 'allowAddresses'> = { allowAddresses: [] }

/**
 * A state that an older Headgate wrote, with what it could not know yet as it is in a new rollout. What it did know stays:
 * only keys that are not there are filled.
 */
export function filledState(stored: RolloutState): RolloutState {
  return { ...initialState(stored.workload, stored.runId, stored.phaseSinceMs), ...stored }
}

/** The same for a pinned plan. Its hash stays: it names the text that was pinned. */
export function filledPlan(stored: Plan): Plan {
  const steps = stored.steps.map((step) => ({ ...step, warm: warmOf(step.warm), approval: approvalOf(step.approval) }))
  return { ...PLAN_BEFORE_PARTS, ...stored, steps, probes: stored.probes.map(probeOf) }
}

/** A plan whose parts that many plans have are the others', too. */
export function sharedPlan(plan: Plan, share: Share): Plan {
  const { steps, gates, slis, checks, hooks, capacity } = plan
  return {
    ...plan,
    steps: share(steps),
    gates: share(gates),
    slis: share(slis),
    checks: share(checks),
    hooks: share(hooks),
    capacity: share(capacity),
  }
}

function warmOf(stored: Plan['steps'][number]['warm'] | undefined): Plan['steps'][number]['warm'] {
  return stored ? { ...stored, probes: stored.probes.map(probeOf) } : null
}

/** Probes were once not kept from any address: what they are to be let at must be said now. */
function probeOf(stored: ProbeSpec): ProbeSpec {
  return { ...NO_ALLOWANCE, ...stored }
}

/** An approval was once a plain yes or no: any operator could give it, and it did not expire. */
function approvalOf(stored: Plan['steps'][number]['approval'] | boolean): Plan['steps'][number]['approval'] {
  if (typeof stored !== 'boolean') return stored
  return stored ? { roles: [], expiresSeconds: null } : null
}
