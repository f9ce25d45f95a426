import type { Side, Sides } from '../core/plan.ts'

/** Whole percentages add up to this, so that an operator reads `90` and `10` at the provider. */
const PREFERRED_SUM = 100

/**
 * The two whole weights, 0 to `max` each, whose share is nearest to `weightPercent` (0 to 100, steps of 0.1); among equals
 * the sum nearest above 100. null: the share that they give would not read back as the same step of 0.1 %; that happens
 * next to the ends only, where `max` is small.
 */
export function wholeWeights(weightPercent: number, max: number): Sides<number> | null {
  const permille = Math.round(weightPercent * 10)
  let best: Sides<number> | null = null
  let bestError = Number.POSITIVE_INFINITY
  for (let sum = Math.min(PREFERRED_SUM, max); sum <= 2 * max && bestError > 0; sum++) {
    const fresh = Math.round((sum * permille) / 1000)
    const pair = { old: sum - fresh, new: fresh }
    const error = Math.abs(fresh / sum - permille / 1000)
    if (Math.max(pair.old, pair.new) > max || error >= bestError) continue
    best = pair
    bestError = error
  }
  return best !== null && sharePercent(best) === permille / 10 ? best : null
}

/** The nearest weights below and above of those that pass, percent; 0 % and 100 % must. */
export function nearestOf(weightPercent: number, isExpressible: (percent: number) => boolean): readonly number[] {
  const permille = Math.round(weightPercent * 10)
  let below = permille
  let above = permille
  while (below > 0 && !isExpressible(below / 10)) below--
  while (above < 1000 && !isExpressible(above / 10)) above++
  return below === above ? [below / 10] : [below / 10, above / 10]
}

/** The nearest weights below and above that two whole weights of 0 to `max` can express, percent. */
export function nearestWholeWeights(weightPercent: number, max: number): readonly number[] {
  return nearestOf(weightPercent, (percent) => wholeWeights(percent, max) !== null)
}

/**
 * NEW's share, percent, rounded to 0.1; null: both are 0. Only 0 itself reads as 0 %, and only 100 itself as 100 %:
 * somebody is served by the rest.
 */
export function sharePercent(weights: Sides<number>): number | null {
  const sum = weights.old + weights.new
  if (sum === 0) return null
  const rounded = Math.round((weights.new / sum) * 1000) / 10
  if (weights.new > 0 && weights.old > 0) return Math.min(99.9, Math.max(0.1, rounded))
  return rounded
}

/**
 * Which side to set first, where it takes two calls. They are never atomic, so what lies between them must be safe by
 * itself: of the two orders, the one that meanwhile sends less to NEW, and never the one with both weights at 0.
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
