import type { Counts, Dispersion } from '../observation.ts'
import type { DispersionLimits } from '../plan.ts'

/** The φ to reckon with. */
export function phiOf(dispersion: Dispersion | null, { assumed, max }: DispersionLimits): number {
  return Math.min(max, dispersion?.phi ?? assumed)
}

/** Fewer bad events say nothing about how they come. */
const LEAST_BAD = 30
/** A rate that drifts over hours is no burst: each block of ticks has a rate of its own. */
const BLOCK_TICKS = 90
/** φ counts only where chance would give it in fewer than one of a hundred histories. */
const SIGNIFICANT_SIGMAS = 2.33

/**
 * Estimates φ from ticks of a cluster that is believed healthy, as Pearson's χ²/df with a rate of its own for each
 * block (McCullagh & Nelder, Generalized Linear Models, §4.5). What differs from 1 by no more than chance is 1; else one
 * standard error is added, since a φ that is too low costs false alarms. null: too few bad events to tell.
 */
export function estimateDispersion(ticks: readonly Counts[]): Dispersion | null {
  const terms: number[] = []
  let degrees = 0
  let bad = 0
  let inverse = 0
  for (let start = 0; start < ticks.length; start += BLOCK_TICKS) {
    const block = ticks.slice(start, start + BLOCK_TICKS).filter(({ total }) => total > 0)
    const sums = block.reduce((sum, tick) => ({ total: sum.total + tick.total, bad: sum.bad + tick.bad }), {
      total: 0,
      bad: 0,
    })
    if (sums.bad === 0 || block.length < 2) continue
    const rate = sums.bad / sums.total
    for (const tick of block) {
      const expected = rate * tick.total
      terms.push((tick.bad - expected) ** 2 / expected)
      inverse += 1 / expected
    }
    degrees += block.length - 1
    bad += sums.bad
  }
  if (bad < LEAST_BAD || degrees === 0) return null
  const chi2 = terms.reduce((sum, term) => sum + term, 0)
  const estimate = chi2 / degrees
  // Variance of Pearson's χ² of Poisson counts: Σ(2 + 1/μ).
  const chance = Math.sqrt(2 * degrees + inverse) / degrees
  if (estimate < 1 + SIGNIFICANT_SIGMAS * chance) return { phi: 1, ticks: terms.length, bad }
  const mean = chi2 / terms.length
  const variance = terms.reduce((sum, term) => sum + (term - mean) ** 2, 0) / terms.length
  return { phi: estimate + Math.sqrt(variance / terms.length), ticks: terms.length, bad }
}
