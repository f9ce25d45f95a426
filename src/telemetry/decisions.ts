import type { Registry } from 'prom-client'
import type { HeadgateEvent, JournalRow } from '../core/event.ts'
import { isHalt } from '../core/state.ts'
import type { WorkloadView } from '../ports/control.ts'
import { registerScraped } from './samples.ts'

/** What a person would look for in a plot. */
export const DECISIONS = ['raise', 'hold', 'halt', 'revert', 'revert-refused'] as const
export type Decision = (typeof DECISIONS)[number]

/**
 * Counts what was decided about each workload, of each kind from zero: a counter that begins with its first event shows
 * no increase. The returned function takes committed rows.
 */
export function registerDecisions(
  registry: Registry,
  views: () => readonly WorkloadView[],
): (rows: readonly JournalRow[]) => void {
  const counts = new Map<string, number>()
  const keyOf = (workload: string, decision: Decision) => `${decision} ${workload}`
  registerScraped(registry, 'headgate_decisions_total', () =>
    views().flatMap(({ plan: { migration }, state: { workload } }) =>
      DECISIONS.map((decision) => ({
        labels: { migration, workload, decision },
        value: counts.get(keyOf(workload, decision)) ?? 0,
      })),
    ),
  )
  return (rows) => {
    for (const { event } of rows) {
      const decision = decisionOf(event)
      if (decision === null || event.workload === null) continue
      const key = keyOf(event.workload, decision)
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
  }
}

/** null: nothing that a person would look for in a plot. */
function decisionOf(event: HeadgateEvent): Decision | null {
  if (event.type === 'weight-intended') return event.toPercent > event.fromPercent ? 'raise' : null
  if (event.type === 'hold-added') return isHalt(event.hold.cause) ? 'halt' : 'hold'
  if (event.type === 'revert-started') return 'revert'
  return event.type === 'revert-refused' ? 'revert-refused' : null
}
