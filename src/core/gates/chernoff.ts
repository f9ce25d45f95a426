import type { Counts } from '../observation.ts'

/**
 * Chernoff bounds of the Poisson tail, both ways: P(X ≥ k) for k > λ and P(X ≤ k) for k < λ are at most
 * exp(−λ·h(k/λ)), h(x) = x·ln x − x + 1 (Boucheron, Lugosi, Massart: Concentration Inequalities, §2.2).
 */
function exponent(lambda: number, k: number): number {
  if (k === 0) return lambda
  const ratio = k / lambda
  return lambda * (ratio * Math.log(ratio) - ratio + 1)
}

/** Claims here are wrong at most once in a hundred. */
const LN_100 = Math.log(100)

/** True when fewer bad events than `a`'s rate would give are proven for `b`. Needs events on both sides. */
export function isProvenBetter(b: Counts, a: Counts): boolean {
  if (a.total <= 0 || b.total <= 0) return false
  const expected = (a.bad / a.total) * b.total
  return b.bad < expected && exponent(expected, b.bad) >= LN_100
}

/** True when the counts prove a rate of bad events above `rate`. */
export function isProvenAbove(counts: Counts, rate: number): boolean {
  const expected = counts.total * rate
  return expected > 0 && counts.bad > expected && exponent(expected, counts.bad) >= LN_100
}
