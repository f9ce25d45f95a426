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

/**
 * True when `b`'s rate of bad events is proven to be below `a`'s. Of all bad events together, `a` would have its share of
 * the requests were both alike; a Chernoff bound of the binomial tail says how seldom chance gives it so many more.
 */
export function isProvenBetter(b: Counts, a: Counts): boolean {
  if (a.total <= 0 || b.total <= 0) return false
  const bad = a.bad + b.bad
  const even = a.total / (a.total + b.total)
  const share = a.bad / bad
  if (bad === 0 || share <= even) return false
  const other = share === 1 ? 0 : (1 - share) * Math.log((1 - share) / (1 - even))
  return bad * (share * Math.log(share / even) + other) >= LN_100
}

/** True when the counts prove a rate of bad events above `rate`. */
export function isProvenAbove(counts: Counts, rate: number): boolean {
  const expected = counts.total * rate
  return expected > 0 && counts.bad > expected && exponent(expected, counts.bad) >= LN_100
}
