import type { RolloutState } from './state.ts'

/** Evidence that belongs to one weight: it starts anew when another is intended, or a person resumes. */
export function freshEvidence(): Pick<
  RolloutState,
  'settledMs' | 'inForceAtMs' | 'heldMs' | 'evidence' | 'proofs' | 'share' | 'probes' | 'advancedStepIndex'
> {
  return {
    settledMs: 0,
    inForceAtMs: null,
    heldMs: 0,
    evidence: {},
    proofs: {},
    share: { settledAtMs: null, untilMs: 0, requests: { old: 0, new: 0 }, lastPercent: null },
    probes: {},
    advancedStepIndex: null,
  }
}

/** A rollout that has moved nothing yet. */
export function initialState(workload: string, runId: string, nowMs: number): RolloutState {
  return {
    workload,
    runId,
    planHash: null,
    round: 1,
    startedAtMs: null,
    phase: { name: 'waiting' },
    phaseSinceMs: nowMs,
    holds: [],
    intendedWeightPercent: 0,
    intendedAtMs: nowMs,
    confirmedWeightPercent: null,
    confirmedAtMs: null,
    unconfirmedPercents: [],
    ttlsBefore: {},
    ttlWaitedMs: null,
    ttlSeconds: 0,
    isUnwatched: false,
    lastStepMs: nowMs,
    judgeSinceMs: nowMs,
    approved: null,
    tasks: {},
    checks: {},
    fullReplicas: null,
    totals: {},
    isCounted: false,
    drain: null,
    askedRevert: null,
    alerts: [],
    closed: null,
    blindSinceMs: null,
    told: { blind: false, stuck: false, asked: false },
    tests: {},
    outcomes: {},
    ...freshEvidence(),
  }
}
