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

/** Called with the outcome: whether a call may be made. */
type Waiter = (isTaken: boolean) => void

/**
 * A token bucket with a reserve: everybody draws from the whole; what is no revert draws from a second bucket of half the
 * size and rate too, so that half of the whole is always left to reverts. While a revert waits, nobody else is served;
 * among the others reads and steps take turns, so that a long queue of steps blinds nobody.
 */
class TokenBucket implements Quota {
  private readonly whole: Level
  private readonly others: Level
  private readonly clock: Clock
  /** Each in the order in which they came. */
  private readonly waiters: Readonly<Record<QuotaUse, Set<Waiter>>> = {
    revert: new Set(),
    read: new Set(),
    forward: new Set(),
  }
  private lastOfOthers: 'read' | 'forward' = 'forward'
  /** Ends the sleep until somebody can be served; null: nobody waits. */
  private alarm: AbortController | null = null

  constructor({ callsPerSecond, burst }: QuotaLimits, clock: Clock) {
    const nowMs = clock.nowMs()
    this.clock = clock
    this.whole = new Level(callsPerSecond, burst, nowMs)
    this.others = new Level(callsPerSecond * SHARE_OF_OTHERS, Math.max(1, burst * SHARE_OF_OTHERS), nowMs)
  }

  take(use: QuotaUse, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false)
    return new Promise((resolve) => {
      const queue = this.waiters[use]
      const waiter: Waiter = (isTaken) => {
        signal.removeEventListener('abort', leave)
        queue.delete(waiter)
        resolve(isTaken)
      }
      const leave = () => {
        waiter(false)
        this.serve()
      }
      signal.addEventListener('abort', leave, { once: true })
      queue.add(waiter)
      this.serve()
    })
  }

  exhaust(): void {
    const nowMs = this.clock.nowMs()
    for (const level of [this.whole, this.others]) {
      // First, or the time before this refusal would fill it again.
      level.refill(nowMs)
      level.empty()
    }
  }

  /** Serves whoever may be served now, and sees to it that the next one is served in time. */
  private serve(): void {
    const waitMs = this.serveNow()
    // Whoever came or left may have changed when that is.
    this.alarm?.abort()
    this.alarm = null
    if (waitMs === null) return
    const alarm = new AbortController()
    this.alarm = alarm
    void this.clock.sleep(waitMs, alarm.signal).then(() => {
      if (!alarm.signal.aborted) this.serve()
    })
  }

  /** How long until the next one can be served, ms; null: nobody waits. */
  private serveNow(): number | null {
    const nowMs = this.clock.nowMs()
    this.whole.refill(nowMs)
    this.others.refill(nowMs)
    for (;;) {
      const use = this.nextUse()
      const [waiter] = use === null ? [] : this.waiters[use]
      if (use === null || waiter === undefined) return null
      const levels = use === 'revert' ? [this.whole] : [this.whole, this.others]
      const waitMs = Math.max(...levels.map((level) => level.waitMs()))
      if (waitMs > 0) return waitMs
      for (const level of levels) level.takeOne()
      if (use !== 'revert') this.lastOfOthers = use
      waiter(true)
    }
  }

  /** Whose turn it is; null: nobody waits. */
  private nextUse(): QuotaUse | null {
    if (this.waiters.revert.size > 0) return 'revert'
    const turns = this.lastOfOthers === 'forward' ? (['read', 'forward'] as const) : (['forward', 'read'] as const)
    return turns.find((use) => this.waiters[use].size > 0) ?? null
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
