import type { Side, Sides } from '../../core/plan.ts'

/** HAProxy's server weights are whole numbers, 0 to 256 (management guide, `set server … weight`). */
const MAX_SERVER_WEIGHT = 256
/** Whole percentages add up to this, so that an operator reads `90` and `10` on the socket. */
const PREFERRED_SUM = 100

/**
 * The two server weights whose share is nearest to `weightPercent` (0 to 100, steps of 0.1); among equals the sum
 * nearest above 100. null: the share that they give would not read back as the same step of 0.1 %. That happens to
 * six weights only, next to the ends: 0.1, 0.2, 0.3, 99.7, 99.8 and 99.9.
 */
export function serverWeights(weightPercent: number): Sides<number> | null {
  const permille = Math.round(weightPercent * 10)
  let best: Sides<number> | null = null
  let bestError = Number.POSITIVE_INFINITY
  for (let sum = PREFERRED_SUM; sum <= 2 * MAX_SERVER_WEIGHT; sum++) {
    const pair = { old: sum - Math.round((sum * permille) / 1000), new: Math.round((sum * permille) / 1000) }
    const error = Math.abs(pair.new / sum - permille / 1000)
    if (Math.max(pair.old, pair.new) > MAX_SERVER_WEIGHT || error >= bestError) continue
    best = pair
    bestError = error
  }
  return best !== null && sharePercent(best) === permille / 10 ? best : null
}

/** The nearest weights below and above that HAProxy can express, percent. */
export function nearestWeights(weightPercent: number): readonly number[] {
  const permille = Math.round(weightPercent * 10)
  const expressible = (candidate: number) => serverWeights(candidate / 10) !== null
  let below = permille
  let above = permille
  // Both ends, 0 % and 100 %, are expressible: the loops end there.
  while (below > 0 && !expressible(below)) below--
  while (above < 1000 && !expressible(above)) above++
  return below === above ? [below / 10] : [below / 10, above / 10]
}

/** NEW's share, percent, rounded to 0.1; null: both are 0. Only 0 itself reads as 0: 1 of 257 is 0.4 %. */
export function sharePercent(weights: Sides<number>): number | null {
  const share = rawShare(weights)
  return share === null ? null : Math.round(share * 1000) / 10
}

/**
 * Which server to set first. Two commands are never atomic, so what lies between them must be safe by itself: of the two
 * orders, the one that meanwhile sends less to NEW, and never the one with both weights at 0 (HAProxy would answer 503).
 * On a raise that is at most what was asked; on a way down at most what was there.
 */
export function firstToSet(now: Sides<number>, next: Sides<number>): Side {
  const oldFirst = rawShare({ old: next.old, new: now.new })
  const newFirst = rawShare({ old: now.old, new: next.new })
  if (oldFirst === null) return 'new'
  if (newFirst === null) return 'old'
  return oldFirst < newFirst ? 'old' : 'new'
}

function rawShare(weights: Sides<number>): number | null {
  const sum = weights.old + weights.new
  return sum === 0 ? null : weights.new / sum
}
