/** A number in [0, 1). */
export type Random = () => number

/** sfc32 (Doty-Humphrey, PractRand): small, fast, and without known weakness at these lengths. */
export function seeded(seed: number): Random {
  let a = 0x9e3779b9 | 0
  let b = seed | 0
  let c = Math.imul(seed ^ 0x5bd1e995, 0x85ebca6b)
  let counter = 1
  const next = () => {
    const t = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + t) | 0
    return (t >>> 0) / 4294967296
  }
  // Seeds that differ by little must not begin alike.
  for (let n = 0; n < 15; n++) next()
  return next
}

/** All chance of one simulation: the same seed gives the same world. */
export class Chance {
  private readonly random: Random

  constructor(seed: number) {
    this.random = seeded(seed)
  }

  /** In [0, 1). */
  next(): number {
    return this.random()
  }

  /** True with this probability. */
  is(probability: number): boolean {
    return this.random() < probability
  }

  /** A whole number from `min` to `max`, both included. */
  whole(min: number, max: number): number {
    return min + Math.floor(this.random() * (max - min + 1))
  }

  /** One of these, each as likely. Throws where there is none. */
  one<T>(items: readonly T[]): T {
    const item = items[Math.floor(this.random() * items.length)]
    if (item === undefined) throw new Error('nothing to choose from')
    return item
  }
}
