/** Chance for the simulator: seeded, fast, and the same on every machine. */

import type { Random } from '../../src/simulate/chance.ts'

export { type Random, seeded } from '../../src/simulate/chance.ts'

/** Means above this are drawn from a rounded normal: its error is far below what a decision depends on. */
const LARGE = 60

/** A Poisson count: by inversion for small means, else a rounded normal with the skew of a Poisson. */
export function poisson(mean: number, random: Random): number {
  if (mean <= 0) return 0
  if (mean > LARGE) return rounded(mean, Math.sqrt(mean), 1 / Math.sqrt(mean), random)
  let chance = Math.exp(-mean)
  let left = random() - chance
  let count = 0
  while (left >= 0 && chance > 0) {
    count++
    chance *= mean / count
    left -= chance
  }
  return count
}

/** How many of `n` come, each with the chance `p`. */
export function binomial(n: number, p: number, random: Random): number {
  if (n <= 0 || p <= 0) return 0
  if (p >= 1) return n
  if (p > 0.5) return n - binomial(n, 1 - p, random)
  const mean = n * p
  if (mean > LARGE) {
    const deviation = Math.sqrt(mean * (1 - p))
    return Math.min(n, rounded(mean, deviation, (1 - 2 * p) / deviation, random))
  }
  const odds = p / (1 - p)
  let chance = (1 - p) ** n
  let left = random() - chance
  let count = 0
  while (left >= 0 && count < n && chance > 0) {
    chance *= ((n - count) / (count + 1)) * odds
    count++
    left -= chance
  }
  return count
}

/** Bad events in bursts: Poisson many, each of a geometric size with the mean `size` ≥ 1. Variance over mean: 2·size − 1. */
export function bursts(mean: number, size: number, random: Random): number {
  const count = poisson(mean / size, random)
  if (size === 1) return count
  const logStay = Math.log(1 - 1 / size)
  let sum = 0
  for (let n = 0; n < count; n++) sum += 1 + Math.floor(Math.log(1 - random()) / logStay)
  return sum
}

/** A whole number ≥ 0 near a normal, bent to the given skew (Cornish and Fisher's first term). */
function rounded(mean: number, deviation: number, skew: number, random: Random): number {
  const z = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  return Math.max(0, Math.floor(mean + deviation * (z + (skew * (z * z - 1)) / 6) + 0.5))
}
