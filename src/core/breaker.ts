import type { FleetPlan } from './fleet-plan.ts'
import { formatSpan } from './format.ts'
import { type Verdict, verdictOf } from './gates/verdict.ts'
import type { Standing } from './state.ts'

/** A rollout that was brought back, or is being. */
export interface Reverted {
  readonly workload: string
  readonly startedAtMs: number
}

/** The reverts of rollouts, oldest first. */
export function revertsOf(states: readonly Standing[]): readonly Reverted[] {
  return states.flatMap((state) => revertOf(state) ?? []).toSorted((a, b) => a.startedAtMs - b.startedAtMs)
}

/** When the revert of a rollout began; null: it has none. An ended one's last intent was its revert. */
export function revertOf({ workload, phase, intendedAtMs }: Standing): Reverted | null {
  if (phase.name === 'reverting') return { workload, startedAtMs: phase.startedAtMs }
  return phase.name === 'reverted' ? { workload, startedAtMs: intendedAtMs } : null
}

/**
 * The breaker's verdict, by the reverts that began after `sinceMs`: as many as it takes, within its time of each other,
 * halt. It stays so, however long ago they were, until those workloads are retried or cancelled. null: it lets go on.
 * @param reverts oldest first
 */
export function judgeBreaker(
  breaker: FleetPlan['breaker'],
  reverts: readonly Reverted[],
  sinceMs: number,
): Verdict | null {
  if (breaker === null || reverts.length < breaker.reverts) return null
  const counted = reverts.filter(({ startedAtMs }) => startedAtMs > sinceMs)
  const withinMs = breaker.withinSeconds * 1000
  const first = counted.findIndex(({ startedAtMs }, index) => {
    const last = counted[index + breaker.reverts - 1]
    return last !== undefined && last.startedAtMs - startedAtMs <= withinMs
  })
  const begin = counted[first]
  if (!begin) return null
  const together = counted.slice(first).filter(({ startedAtMs }) => startedAtMs - begin.startedAtMs <= withinMs)
  const names = together.map(({ workload }) => workload)
  return verdictOf('breaker')(
    'halt',
    `${names.length} ${names.length === 1 ? 'workload' : 'workloads'} reverted within ${formatSpan(breaker.withinSeconds)}: ${names.join(', ')}`,
    {
      reverts: names.length,
      allowed: breaker.reverts - 1,
      withinSeconds: breaker.withinSeconds,
      newestAtMs: together.at(-1)?.startedAtMs ?? begin.startedAtMs,
    },
  )
}
