import type { Side, Sides } from '../../core/plan.ts'
import { nearestWholeWeights, wholeWeights } from '../ratio.ts'

/** HAProxy's server weights are whole numbers, 0 to 256 (management guide, `set server … weight`). */
const MAX_SERVER_WEIGHT = 256

/** The server weights for a share; null: 0.1, 0.2, 0.3, 99.7, 99.8 and 99.9 % cannot be had. */
export function serverWeights(weightPercent: number): Sides<number> | null {
  return wholeWeights(weightPercent, MAX_SERVER_WEIGHT)
}

/** The nearest weights below and above that HAProxy can express, percent. */
export function nearestWeights(weightPercent: number): readonly number[] {
  return nearestWholeWeights(weightPercent, MAX_SERVER_WEIGHT)
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
