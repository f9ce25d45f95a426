import type { Quota, QuotaLimits, Quotas, QuotaUse } from '../ports/quota.ts'
import type { Clock } from '../ports/runtime.ts'

/** The share of an account's quota that everything but reverts may use. */
const SHARE_OF_OTHERS = 0.5

/** The quotas of all accounts, in this process. */
export function createQuotas(clock: Clock): Quotas {
  const byAccount = new Map<string, Quota>()
  return {
    of(account, limits) {
      const known = byAccount.get(account)
      if (known) return known
      const quota = new TokenBucket(limits, clock)
      byAccount.set(account, quota)
      return quota
    },
  }
}

interface Waiter {
  readonly use: QuotaUse
  readonly go: (isTaken: boolean) => void
}

/**
 * A token bucket with a reserve: everybody draws from the whole; what is no revert draws from a second bucket of half the
 * size and rate too, so that half of the whole is always left to reverts. While a revert waits, nobody else is served.
 */
class TokenBucket implements Quota {
  private readonly whole: Level
  private readonly others: Level
  private readonly clock: Clock
  private readonly waiters: Waiter[] = []
  private serving: Promise<void> | null = null

  constructor(limits: QuotaLimits, clock: Clock) {
    this.clock = clock
    this.whole = new Level(limits.callsPerSecond, limits.burst, clock.nowMs())
    this.others = new Level(
      limits.callsPerSecond * SHARE_OF_OTHERS,
      Math.max(1, limits.burst * SHARE_OF_OTHERS),
      clock.nowMs(),
    )
  }

  take(use: QuotaUse, signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      if (signal.aborted) return resolve(false)
      const waiter: Waiter = {
        use,
        go: (isTaken) => {
          signal.removeEventListener('abort', leave)
          resolve(isTaken)
        },
      }
      const leave = () => {
        this.waiters.splice(this.waiters.indexOf(waiter), 1)
        resolve(false)
      }
      signal.addEventListener('abort', leave, { once: true })
      this.waiters.push(waiter)
      this.serve()
    })
  }

  exhaust(): void {
    this.whole.empty()
    this.others.empty()
  }

  /** Serves whoever may be served now; sees to it that the rest is served later. */
  private serve(): void {
    let waitMs = this.serveNow()
    if (waitMs === null) return
    this.serving ??= (async () => {
      while (waitMs !== null) {
        await this.clock.sleep(waitMs)
        waitMs = this.serveNow()
      }
      this.serving = null
    })()
  }

  /** How long until the next one can be served, ms; null: nobody waits. */
  private serveNow(): number | null {
    const nowMs = this.clock.nowMs()
    this.whole.refill(nowMs)
    this.others.refill(nowMs)
    for (;;) {
      const next = this.waiters.find(({ use }) => use === 'revert') ?? this.waiters[0]
      if (!next) return null
      const levels = next.use === 'revert' ? [this.whole] : [this.whole, this.others]
      const waitMs = Math.max(...levels.map((level) => level.waitMs()))
      if (waitMs > 0) return waitMs
      for (const level of levels) level.takeOne()
      this.waiters.splice(this.waiters.indexOf(next), 1)
      next.go(true)
    }
  }
}

class Level {
  private tokens: number
  private atMs: number
  private readonly perSecond: number
  private readonly size: number

  constructor(perSecond: number, size: number, nowMs: number) {
    this.perSecond = perSecond
    this.size = size
    this.tokens = size
    this.atMs = nowMs
  }

  refill(nowMs: number): void {
    // A clock that went back refills nothing.
    const elapsedMs = Math.max(0, nowMs - this.atMs)
    this.atMs = nowMs
    this.tokens = Math.min(this.size, this.tokens + (elapsedMs / 1000) * this.perSecond)
  }

  waitMs(): number {
    // What is missing by no more than a rounding error of the refills is there.
    return this.tokens >= 1 - 1e-9 ? 0 : Math.max(1, Math.ceil(((1 - this.tokens) / this.perSecond) * 1000))
  }

  takeOne(): void {
    this.tokens -= 1
  }

  empty(): void {
    this.tokens = 0
  }
}
