interface BucketLimits {
  readonly callsPerSecond: number
  readonly burst: number
}

/**
 * An account's calls, as this process counts them: two buckets that fill with time. A revert draws from the whole, all else from
 * both.
 */
export class TokenLevels {
  private readonly now: () => number
  private readonly whole: Level
  private readonly others: Level

  /** `now` gives milliseconds of a clock that never jumps. */
  constructor({ whole, others }: Readonly<Record<'whole' | 'others', BucketLimits>>, now: () => number) {
    this.now = now
    this.whole = new Level(whole, now())
    this.others = new Level(others, now())
  }

  /** Takes one, or says when to ask again, ms, > 0. */
  take(use: 'revert' | 'other') {
    this.refill()
    const levels = use === 'revert' ? [this.whole] : [this.whole, this.others]
    const waitMs = Math.max(...levels.map((level) => level.waitMs()))
    if (waitMs > 0) return { isTaken: false as const, waitMs }
    for (const level of levels) level.tokens -= 1
    return { isTaken: true as const }
  }

  exhaust(): void {
    this.set({ whole: 0, others: 0 })
  }

  /** What somebody who counts better found to be left now. */
  set({ whole, others }: Readonly<Record<'whole' | 'others', number>>): void {
    // First, or the time before this would fill it again.
    this.refill()
    this.whole.tokens = whole
    this.others.tokens = others
  }

  stand() {
    this.refill()
    const standOf = ({ tokens, limits }: Level) => ({ left: tokens, burst: limits.burst })
    return { revert: standOf(this.whole), other: standOf(this.others) }
  }

  private refill(): void {
    const nowMs = this.now()
    this.whole.refill(nowMs)
    this.others.refill(nowMs)
  }
}

class Level {
  tokens: number
  readonly limits: BucketLimits
  private atMs: number

  constructor(limits: BucketLimits, nowMs: number) {
    this.limits = limits
    this.tokens = limits.burst
    this.atMs = nowMs
  }

  refill(nowMs: number): void {
    const { callsPerSecond, burst } = this.limits
    this.tokens = Math.min(burst, this.tokens + ((nowMs - this.atMs) / 1000) * callsPerSecond)
    this.atMs = nowMs
  }

  waitMs(): number {
    // What is missing by no more than a rounding error of the refills is there.
    return this.tokens >= 1 - 1e-9 ? 0 : Math.max(1, Math.ceil(((1 - this.tokens) / this.limits.callsPerSecond) * 1000))
  }
}
