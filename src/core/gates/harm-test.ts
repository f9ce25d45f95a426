import type { Counts } from '../observation.ts'
import type { Sides } from '../plan.ts'

/**
 * Tests of "NEW is no worse than allowed" that may be looked at after every tick: one-sided conditional-Poisson
 * e-processes on counts (after Lindon & Malek, "Anytime-Valid Inference for Multinomial Count Data"; DESIGN §6).
 *
 * For an alternative in which NEW is ρ times worse, one bad event on NEW speaks for it with s, one on OLD against it
 * with u, and what NEW may have by the margin is taken off. c ties s and u so that OLD's own rate, whatever it is and
 * however it moves, drops out:
 *
 *     c = (n1·r·ρ + n0) / (n1·r + n0)    s = ln(ρ/c)    u = ln c
 *     ln E = [ s·e1 − u·e0 − n1·margin·(e^s − 1) ] / φ
 */
export interface HarmRule {
  /** Times OLD's rate that are allowed, r ≥ 1; 0: OLD is not looked at, the margin alone is allowed. */
  readonly ratio: number
  /** Bad events per event that are allowed on top, > 0. */
  readonly margin: number
  readonly alternatives: readonly Alternative[]
}

export interface Alternative {
  /** ρ > 1. */
  readonly times: number
  /** How much is staked on it; all of a rule add up to 1. */
  readonly stake: number
  /** ln ρ. */
  readonly logTimes: number
}

/** Makes a rule's alternatives of pairs of ρ and stake. */
export function alternatives(...pairs: readonly (readonly [times: number, stake: number])[]): readonly Alternative[] {
  return pairs.map(([times, stake]) => ({ times, stake, logTimes: Math.log(times) }))
}

/** ln of the evidence for each alternative, in the rule's order; plain JSON. Empty: a test that begins. */
export type Stakes = readonly number[]

/**
 * Less than the smallest restart adds, so it stands for none at all. Over a million ticks, what is rounded up to it adds
 * up to a ten-thousandth of the error bound.
 */
export const LEAST = -23
/** Evidence beyond a thousand billion says no more. */
const MOST = 27.6

/** One look: a tick of both clusters, the share of its restart, and the overdispersion φ ≥ 1. */
export interface Look {
  readonly counts: Sides<Counts>
  readonly share: number
  readonly dispersion: number
}

/** The stakes after one more tick. O(alternatives). */
export function raise(stakes: Stakes, { ratio, margin, alternatives }: HarmRule, look: Look): number[] {
  const { share, dispersion, counts } = look
  const { total: n1, bad: e1 } = counts.new
  const { total: n0, bad: e0 } = counts.old
  const even = n1 * ratio
  const next = alternatives.map(({ times, logTimes }, index) => {
    const c = even === 0 ? 1 : (even * times + n0) / (even + n0)
    const forOld = Math.log(c)
    const logE = (logTimes - forOld) * e1 - forOld * e0 - n1 * margin * (times / c - 1)
    return stored(Math.log(Math.exp(stakes[index] ?? LEAST) + share) + logE / dispersion)
  })
  return next
}

/**
 * The evidence against H0 as a whole: over all rollouts that fulfil H0 it exceeds 1/α in at most a share α.
 * @param spent shares given to restarts so far
 */
export function evidenceOf(stakes: Stakes, { alternatives }: HarmRule, spent: number): number {
  let sum = 1 - spent
  for (let index = 0; index < alternatives.length; index++)
    sum += (alternatives[index]?.stake ?? 0) * Math.exp(stakes[index] ?? LEAST)
  return sum
}

/** Six decimals: errors of half a millionth a tick don't add up to anything, and a row of the store stays short. */
export function stored(log: number): number {
  if (log <= LEAST) return LEAST
  return log >= MOST ? MOST : Math.round(log * 1e6) / 1e6
}
