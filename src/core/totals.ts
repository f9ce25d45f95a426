import type { Draft } from './draft.ts'
import { change } from './draft.ts'
import { addTick } from './evidence.ts'
import { NO_COUNTS } from './observation.ts'
import { isTerminal, type RolloutState } from './state.ts'

/** So long after the end a source may still bring what was served before it: scrapes come late, ms. */
const LATE_MS = 60_000

/**
 * Adds up what both clusters served since the rollout started, whatever the weight, until what was served before its end
 * must have come in: for reports, and to know what was read. A tick counts once, the one in which the rollout started too. A
 * side that is missing adds nothing: a source counts it in the next tick.
 */
export function countTotals(draft: Draft): void {
  const { startedAtMs, isCounted, phase, phaseSinceMs } = draft.state
  if (startedAtMs === null || isCounted) return
  addTotals(draft, startedAtMs)
  if (isTerminal(phase) && draft.nowMs - phaseSinceMs >= LATE_MS) change(draft, { isCounted: true })
}

function addTotals(draft: Draft, startedAtMs: number): void {
  const totals: Record<string, RolloutState['totals'][string]> = {}
  for (const [name, reading] of Object.entries(draft.observation.slis)) {
    if (reading.kind !== 'counts' || reading.atMs <= startedAtMs) continue
    const { old, new: fresh } = reading.tick
    if ('kind' in old && 'kind' in fresh) continue
    const before = draft.state.totals[name] ?? { untilMs: 0, counts: { old: NO_COUNTS, new: NO_COUNTS } }
    if (reading.atMs > before.untilMs) totals[name] = addTick(before, reading)
  }
  if (Object.keys(totals).length > 0) change(draft, { totals: { ...draft.state.totals, ...totals } })
}
