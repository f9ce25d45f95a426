/** How few requests on NEW any test could need. */
import type { Allowance } from '../../src/core/plan.ts'

export interface Change {
  /** Share of requests on NEW, in (0, 1). */
  readonly share: number
  readonly oldBadShare: number
  readonly newBadShare: number
}

/**
 * The evidence that one request on NEW can give, nats: the growth rate against the nearest of what is allowed,
 * max over s of p1·s − (n0/n1)·p0·u(s) − margin·(e^s − 1), with u(s) = −ln(1 − ratio·(n1/n0)·(e^s − 1)).
 */
export function evidencePerRequest({ share, oldBadShare, newBadShare }: Change, { ratio, margin }: Allowance): number {
  const odds = share / (1 - share)
  const gain = (s: number) => {
    const left = 1 - ratio * odds * Math.expm1(s)
    return left <= 0
      ? Number.NEGATIVE_INFINITY
      : newBadShare * s + (oldBadShare / odds) * Math.log(left) - margin * Math.expm1(s)
  }
  // The gain is concave in s.
  let [low, high] = [0, Math.log1p(1 / Math.max(1e-9, ratio * odds))]
  for (let n = 0; n < 100; n++) {
    const [a, b] = [low + (high - low) / 3, high - (high - low) / 3]
    if (gain(a) < gain(b)) low = a
    else high = b
  }
  return gain((low + high) / 2)
}

/** Requests for a change at an unknown one of `ticks`: ln(ticks/α)/KL; with 1 tick Wald's ln(1/α)/KL for a known one. */
export function leastRequests(change: Change, allowance: Allowance, ticks: number): number {
  return Math.log(ticks / allowance.alpha) / evidencePerRequest(change, allowance)
}
