import type { Sides } from '../../core/plan.ts'
import { nearestWholeWeights, wholeWeights } from '../ratio.ts'

/**
 * Pool weights are numbers of 0 to 1. The API's schema names no step for them; hundredths are what Cloudflare's dashboard
 * and its other weights take, so nothing finer is written.
 */
const STEPS = 100

/** The pool weights for a share; null: it cannot be had. */
export function poolWeights(weightPercent: number): Sides<number> | null {
  const whole = wholeWeights(weightPercent, STEPS)
  return whole && { old: whole.old / STEPS, new: whole.new / STEPS }
}

/** The nearest weights below and above that two pools can have, percent. */
export function nearestWeights(weightPercent: number): readonly number[] {
  return nearestWholeWeights(weightPercent, STEPS)
}
