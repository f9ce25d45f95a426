/** The rollout that every decider watches: seven weights, twenty ticks each. */
export const TICK_SECONDS = 30
export const WEIGHTS_PERCENT: readonly number[] = [1, 5, 10, 25, 50, 75, 90]
export const TICKS_A_STAGE = 20
export const TICKS = WEIGHTS_PERCENT.length * TICKS_A_STAGE
/** Ticks of OLD alone before it, from which φ is estimated. */
export const HISTORY_TICKS = 360
/** Resolvers keep an answer for so long at most. */
export const TTL_SECONDS = 60

/** The step in which a tick falls. */
export function stageOf(tick: number): number {
  return Math.floor(tick / TICKS_A_STAGE)
}

export function weightOf(tick: number): number {
  return WEIGHTS_PERCENT[stageOf(tick)] ?? 100
}

/** The first tick with this weight. */
export function firstTickOf(weightPercent: number): number {
  const stage = WEIGHTS_PERCENT.indexOf(weightPercent)
  if (stage < 0) throw new Error(`no step has a weight of ${weightPercent} %`)
  return stage * TICKS_A_STAGE
}

/**
 * The share of requests that NEW really gets in a tick, in [0, 1]: cached answers run out evenly within a TTL of the
 * weight's change, which is made at the tick's begin.
 */
export function observedShare(tick: number): number {
  const stage = stageOf(tick)
  const before = stage === 0 ? 0 : (WEIGHTS_PERCENT[stage - 1] ?? 0)
  const [from, to] = [(tick % TICKS_A_STAGE) * TICK_SECONDS, ((tick % TICKS_A_STAGE) + 1) * TICK_SECONDS]
  const expired = (Math.min(1, from / TTL_SECONDS) + Math.min(1, to / TTL_SECONDS)) / 2
  return (before + (weightOf(tick) - before) * expired) / 100
}
