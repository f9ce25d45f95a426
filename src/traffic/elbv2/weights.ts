import type { Sides } from '../../core/plan.ts'
import { nearestWholeWeights, wholeWeights } from '../ratio.ts'

/** Weights of target groups are whole numbers, 0 to 999 (ELB API reference, TargetGroupTuple). */
const MAX_GROUP_WEIGHT = 999

/** The groups' weights for a share, percent; null: it cannot be had. All steps of 0.1 % can. */
export function elbWeights(weightPercent: number): Sides<number> | null {
  return wholeWeights(weightPercent, MAX_GROUP_WEIGHT)
}

/** The nearest weights below and above that ELB can express, percent. */
export function nearestWeights(weightPercent: number): readonly number[] {
  return nearestWholeWeights(weightPercent, MAX_GROUP_WEIGHT)
}
