import type { JournalRowJson, WorkloadJson } from '../../src/api/wire.ts'
import type { Tally } from './load.ts'
import type { Workload } from './world.ts'

export type Outcome = 'running' | 'completed' | 'reverted' | 'halted' | 'cancelled'

/** What the demo is there to show. */
export const EXPECTED: Readonly<Record<Workload, Outcome>> = {
  catalog: 'completed',
  checkout: 'reverted',
  search: 'halted',
}

export interface WorkloadReport {
  readonly outcome: Outcome
  readonly expected: Outcome
  /** As the router itself has it. */
  readonly finalWeightPercent: number
  readonly requests: number
  readonly failedRequests: number
  readonly slowRequests: number
  /** null: nothing was reverted, or nothing had failed before. */
  readonly secondsFromFirstBadToRevertConfirmed: number | null
}

export interface Report {
  /** Every outcome, with its final weight, is the expected one. */
  readonly ok: boolean
  readonly seconds: number
  /** By name. */
  readonly workloads: Readonly<Record<string, WorkloadReport>>
}

/** Where a workload stands. A halt may still clear by itself; the others are final. */
export function outcomeOf({ phase, holds }: Pick<WorkloadJson, 'phase' | 'holds'>): Outcome {
  if (phase.name === 'completed' || phase.name === 'reverted' || phase.name === 'cancelled') return phase.name
  if (phase.name === 'reverting') return 'running'
  return holds.some(({ cause }) => cause === 'halted') ? 'halted' : 'running'
}

/** Reports on one workload, from what Headgate said, what the router has and what the clients saw. */
export function reportOn(
  name: Workload,
  outcome: Outcome,
  finalWeightPercent: number,
  tally: Tally,
  journal: readonly JournalRowJson[],
): WorkloadReport {
  const confirmed = journal.find(({ event }) => event.workload === name && event.type === 'revert-confirmed')
  return {
    outcome,
    expected: EXPECTED[name],
    finalWeightPercent,
    requests: tally.requests,
    failedRequests: tally.failedRequests,
    slowRequests: tally.slowRequests,
    secondsFromFirstBadToRevertConfirmed:
      confirmed === undefined || tally.firstFailedAtMs === null
        ? null
        : Math.round((confirmed.event.atMs - tally.firstFailedAtMs) / 100) / 10,
  }
}

/** True when a workload ended as it should, and its traffic is where that outcome wants it. */
export function isAsExpected({ outcome, expected, finalWeightPercent: weight }: WorkloadReport): boolean {
  if (outcome !== expected) return false
  if (outcome === 'completed') return weight === 100
  if (outcome === 'reverted') return weight === 0
  return weight > 0 && weight < 100
}
