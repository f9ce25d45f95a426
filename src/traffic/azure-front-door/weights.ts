import type { Sides } from '../../core/plan.ts'
import { sharePercent } from '../ratio.ts'

/** An origin's weight is a whole number, 1 to 1000; 0 stands for an origin that is disabled. */
export const MAX_WEIGHT = 1000

/**
 * The weights for a share, 0 to 100 in steps of 0.1. Front Door queues changes behind each other for many minutes, so
 * one origin alone is changed wherever that reads as the same step of 0.1 %: NEW if it can be, then OLD. Else both
 * are, in such a way that the next steps can do with one.
 */
export function nextWeights(now: Sides<number>, weightPercent: number): Sides<number> {
  const byNew = { old: now.old, new: counterpart(now.old, weightPercent) }
  const byOld = { old: counterpart(now.new, 100 - weightPercent), new: now.new }
  return [byNew, byOld].find((weights) => sharePercent(weights) === weightPercent) ?? evenWeights(weightPercent)
}

/** The larger side at the greatest weight: then the smaller one alone has steps finer than 0.1 %. */
function evenWeights(weightPercent: number): Sides<number> {
  return weightPercent <= 50
    ? { old: MAX_WEIGHT, new: counterpart(MAX_WEIGHT, weightPercent) }
    : { old: counterpart(MAX_WEIGHT, 100 - weightPercent), new: MAX_WEIGHT }
}

/** The weight that has this share beside one of `other`. */
function counterpart(other: number, percent: number): number {
  return percent === 100 ? MAX_WEIGHT : Math.min(MAX_WEIGHT, Math.round((other * percent) / (100 - percent)))
}
