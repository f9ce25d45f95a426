import type { HeadgateEvent } from '../../src/core/event.ts'
import type { Command } from '../../src/core/observation.ts'
import type { Plan } from '../../src/core/plan.ts'
import type { RolloutState } from '../../src/core/state.ts'
import type { Commit } from '../../src/ports/store.ts'
import { PLAIN_PLAN, PLAIN_STEP } from '../support/plain.ts'

/** A rollout that waits, with the given changes. */
export function sampleState(workload: string, changes: Partial<RolloutState> = {}): RolloutState {
  return {
    workload,
    runId: '01RUN',
    planHash: null,
    phase: { name: 'waiting' },
    phaseSinceMs: 1_000,
    holds: [],
    alerts: [],
    intendedWeightPercent: 0,
    intendedAtMs: 1_000,
    confirmedWeightPercent: null,
    confirmedAtMs: null,
    unconfirmedPercents: [],
    ttlsBefore: {},
    ttlWaitedMs: null,
    ttlSeconds: 0,
    settledMs: 0,
    inForceAtMs: null,
    heldMs: 0,
    isUnwatched: false,
    lastStepMs: 1_000,
    judgeSinceMs: 0,
    evidence: {},
    tests: {},
    proofs: {},
    share: { settledAtMs: null, untilMs: 0, requests: { old: 0, new: 0 }, lastPercent: null },
    probes: {},
    outcomes: {},
    approved: null,
    round: 1,
    startedAtMs: null,
    tasks: {},
    checks: {},
    fullReplicas: null,
    totals: {},
    isCounted: false,
    drain: null,
    askedRevert: null,
    closed: null,
    advancedStepIndex: null,
    blindSinceMs: null,
    told: { blind: false, stuck: false, asked: false },
    ...changes,
  }
}

export function samplePlan(hash: string, workload = 'checkout'): Plan {
  return {
    hash,
    migration: 'm',
    workload,
    clusters: { old: 'a', new: 'b' },
    policy: 'standard',
    after: [],
    steps: [{ weightPercent: 100, holdSeconds: 60, ...PLAIN_STEP }],
    safeWeightPercent: 0,
    bakeSeconds: 60,
    drainSeconds: 60,
    minRequests: 100,
    blindAfterSeconds: 60,
    drift: 'hold',
    shareTolerancePercent: null,
    stuckAfterSeconds: 600,
    gates: [],
    targets: [],
    slis: [],
    probes: [],
    ...PLAIN_PLAN,
  }
}

export function sampleEvent(workload: string | null, reason = 'a test'): HeadgateEvent {
  return { type: 'controller-stopped', reason, atMs: 1_000, runId: '01RUN', workload, actor: 'headgate' }
}

export function sampleFact(id: string, workload = 'checkout'): Command {
  return {
    id,
    kind: 'command',
    workload,
    command: 'pause',
    reason: 'a look at it — “später”',
    actor: 'ada',
    receivedAtMs: 1_000,
    force: false,
    roles: [],
  }
}

/** A commit of nothing, with the given changes. */
export function sampleCommit(changes: Pick<Commit, 'lease' | 'revision'> & Partial<Commit>): Commit {
  return { rollouts: [], plans: [], events: [], consumedFactIds: [], ...changes }
}
