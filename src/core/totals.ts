import type { Draft } from './draft.ts'
import { change } from './draft.ts'
import { addTick } from './evidence.ts'
import { NO_COUNTS } from './observation.ts'
import { isTerminal, type RolloutState } from './state.ts'

/**
 * Adds up what both clusters served since the rollout started, whatever the weight: for reports. A tick counts once, and
 * one that began before the start not at all. A side that is missing adds nothing: a source counts it in the next tick.
 */
export function countTotals(draft: Draft): void {
  const { phase, startedAtMs } = draft.state
  if (startedAtMs === null || isTerminal(phase)) return
  const totals: Record<string, RolloutState['totals'][string]> = {}
  for (const [name, reading] of Object.entries(draft.observation.slis)) {
    if (reading.kind !== 'counts' || reading.sinceMs < startedAtMs) continue
    const before = draft.state.totals[name] ?? { untilMs: 0, counts: { old: NO_COUNTS, new: NO_COUNTS } }
    if (reading.atMs > before.untilMs) totals[name] = addTick(before, reading)
  }
  if (Object.keys(totals).length > 0) change(draft, { totals: { ...draft.state.totals, ...totals } })
}
