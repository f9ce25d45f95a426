import type { RolloutState } from './state.ts'

/**
 * The end of the newest tick that a source had counts of, ms. After the clock was set back it lies in the future: what is read
 * until then was read before, maybe when another weight was in force. Such ticks may accuse, but prove nothing.
 */
export function heardUntilMs({ totals }: RolloutState): number {
  return Math.max(0, ...Object.values(totals).map(({ untilMs }) => untilMs))
}

/** That nothing is proven yet for that reason, as a clause; null: the clock has passed it. */
export function replayClause({ inForceAtMs }: RolloutState, nowMs: number): string | null {
  if (inForceAtMs === null || inForceAtMs <= nowMs) return null
  return `the clock was set back: what is told of the time until ${new Date(inForceAtMs).toISOString()} was read before`
}
