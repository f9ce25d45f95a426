import { type Problem, problem } from '../core/problem.ts'

/** How far a provider's number may be from a step of 0.1 %, for binary fractions' sake. Percentage points. */
const TOLERANCE_POINTS = 1e-6

/**
 * The weight as Headgate knows it, in steps of 0.1 %; null: not a number, out of 0 to 100, or between two steps.
 * It never rounds: 0.04 % is not 0 %, because somebody is served by it.
 */
export function exactWeight(value: number): number | null {
  const rounded = Math.round(value * 10) / 10
  const inRange = rounded >= 0 && rounded <= 100
  return inRange && Math.abs(value - rounded) <= TOLERANCE_POINTS ? rounded : null
}

/** A weight that a provider cannot hold, as TRAFFIC_WEIGHT. */
export function inexpressible(provider: string, weightPercent: number, nearestPercents: readonly number[]): Problem {
  const nearest = nearestPercents.map((percent) => `${percent} %`).join(' and ')
  return problem('TRAFFIC_WEIGHT', `${provider} cannot express ${weightPercent} %; the nearest weights are ${nearest}`)
}
