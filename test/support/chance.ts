/** Chance for tests: the same for the same seed, everywhere. Gives numbers in [0, 1). */
export type Chance = () => number

/** Mulberry32 (T. Ettinger, public domain): 32 bits of state, enough for some ten million draws a seed. */
export function chanceOf(seed: number): Chance {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** How far from the mode a term may be smaller before it counts as none at all. */
const NEGLIGIBLE = 1e-14

/**
 * Exact draws from a Poisson distribution, by inversion of a table that is made once a mean: terms from the mode
 * outwards, each from its neighbour, so that no factorial is needed.
 */
export function poissonOf(mean: number): (chance: Chance) => number {
  if (mean === 0) return () => 0
  const mode = Math.floor(mean)
  const below: number[] = []
  for (let [k, term] = [mode, 1]; k > 0 && term > NEGLIGIBLE; k--) {
    term *= k / mean
    below.push(term)
  }
  const terms = [...below.toReversed(), 1]
  for (let [k, term] = [mode + 1, 1]; term > NEGLIGIBLE; k++) {
    term *= mean / k
    terms.push(term)
  }
  const first = mode - below.length
  const sums = new Float64Array(terms.length)
  let sum = 0
  for (const [index, term] of terms.entries()) {
    sum += term
    sums[index] = sum
  }
  return (chance) => first + lowerBound(sums, chance() * sum)
}

/** The index of the first sum above `wanted`. */
function lowerBound(sums: Float64Array, wanted: number): number {
  let [low, high] = [0, sums.length - 1]
  while (low < high) {
    const middle = (low + high) >>> 1
    if ((sums[middle] ?? Number.NaN) > wanted) high = middle
    else low = middle + 1
  }
  return low
}

/** Tables by mean, made when first asked for. */
export function poissons(): (mean: number, chance: Chance) => number {
  const byMean = new Map<number, (chance: Chance) => number>()
  return (mean, chance) => {
    let draw = byMean.get(mean)
    if (!draw) {
      draw = poissonOf(mean)
      byMean.set(mean, draw)
    }
    return draw(chance)
  }
}
