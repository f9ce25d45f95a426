import type { Allowance, AllowanceLimits, AllowanceUse, Grant, QuotaLimits } from '../ports/quota.ts'
import type { Clock } from '../ports/runtime.ts'

/** An account's calls, as this process counts them: two buckets that fill with time. */
export class TokenLevels {
  private readonly clock: Clock
  private readonly whole: Level
  private readonly others: Level

  constructor({ whole, others }: AllowanceLimits, clock: Clock) {
    this.clock = clock
    this.whole = new Level(whole, clock.monotonicMs())
    this.others = new Level(others, clock.monotonicMs())
  }

  take(use: AllowanceUse): Grant {
    this.refill()
    const levels = use === 'revert' ? [this.whole] : [this.whole, this.others]
    const waitMs = Math.max(...levels.map((level) => level.waitMs()))
    if (waitMs > 0) return { isTaken: false, waitMs }
    for (const level of levels) level.tokens -= 1
    return { isTaken: true }
  }

  exhaust(): void {
    this.set({ whole: 0, others: 0 })
  }

  /** What somebody who counts better found to be left now. */
  set({ whole, others }: Readonly<Record<keyof AllowanceLimits, number>>): void {
    // First, or the time before this would fill it again.
    this.refill()
    this.whole.tokens = whole
    this.others.tokens = others
  }

  stand(): ReturnType<Allowance['stand']> {
    this.refill()
    const standOf = ({ tokens, limits }: Level) => ({ left: tokens, burst: limits.burst })
    return { revert: standOf(this.whole), other: standOf(this.others) }
  }

  private refill(): void {
    const nowMs = this.clock.monotonicMs()
    this.whole.refill(nowMs)
    this.others.refill(nowMs)
  }
}

class Level {
  tokens: number
  readonly limits: QuotaLimits
  private atMs: number

  constructor(limits: QuotaLimits, nowMs: number) {
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
