import type { Sides } from '../../core/plan.ts'
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
