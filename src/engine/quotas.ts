import type { Urgency } from '../core/effect.ts'
import type { Quota, QuotaLevel, QuotaLevels, QuotaLimits, QuotaStand, Quotas, QuotaUse } from '../ports/quota.ts'
import type { Clock } from '../ports/runtime.ts'

/** The share of an account's quota that everything but reverts may use. */
const SHARE_OF_OTHERS = 0.5

/** The quotas of all accounts, in this process. */
export function createQuotas(clock: Clock): Quotas & QuotaLevels {
  const byAccount = new Map<string, TokenBucket>()
  return {
    of(account, limits) {
      const known = byAccount.get(account)
      if (known) return known
      const quota = new TokenBucket(limits, clock)
      byAccount.set(account, quota)
      return quota
    },
    levels: () => [...byAccount].map(([account, quota]) => ({ account, by: quota.stands() })),
  }
}

type Queue = QuotaUse | `${Urgency} under way`

/** The order in which they are served. They have the reserve; what proves a revert comes after what makes one. */
const OF_REVERTS: readonly Queue[] = ['revert under way', 'revert', 'read for a revert']
const OF_READS: readonly Queue[] = ['read under way', 'read']

/** Called with the outcome: whether a call may be made. */
type Waiter = (isTaken: boolean) => void

/**
 * A token bucket with a reserve: everybody draws from the whole; what is no revert draws from a second bucket of half the
 * size and rate too, so that half of the whole is always left to reverts. While a revert waits, or a read that one waits for,
 * nobody else is served; a write or read under way is finished before the next begins: if everybody got a first page of
 * records, nobody would have got a whole list by the deadline. Among the others reads and steps take turns, so that a long
 * queue of steps blinds nobody.
 */
class TokenBucket implements Quota {
  private readonly whole: Level
  private readonly others: Level
  private readonly clock: Clock
  /** Each in the order in which they came. */
  private readonly waiters: Readonly<Record<Queue, Set<Waiter>>> = {
    'revert under way': new Set(),
    revert: new Set(),
    'read for a revert': new Set(),
    'forward under way': new Set(),
    'read under way': new Set(),
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

  turn(urgency: Urgency, signal: AbortSignal): Promise<boolean> {
    return this.wait(urgency, signal)
  }

  take(use: QuotaUse, signal: AbortSignal): Promise<boolean> {
    return this.wait(use === 'revert' || use === 'forward' ? `${use} under way` : use, signal)
  }

  private wait(name: Queue, signal: AbortSignal): Promise<boolean> {
    if (signal.aborted) return Promise.resolve(false)
    return new Promise((resolve) => {
      const queue = this.waiters[name]
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

  stands(): QuotaLevel['by'] {
    const nowMs = this.clock.nowMs()
    const stand = (level: Level, isOfReverts: boolean): QuotaStand => {
      level.refill(nowMs)
      const queues = Object.entries(this.waiters).filter(([name]) => isRevertQueue(name) === isOfReverts)
      return { ...level.stand(), waiting: queues.reduce((sum, [, queue]) => sum + queue.size, 0) }
    }
    return { revert: stand(this.whole, true), other: stand(this.others, false) }
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
      const queue = this.nextQueue()
      const [waiter] = queue === null ? [] : this.waiters[queue]
      if (queue === null || waiter === undefined) return null
      const levels = OF_REVERTS.includes(queue) ? [this.whole] : [this.whole, this.others]
      const waitMs = Math.max(...levels.map((level) => level.waitMs()))
      if (waitMs > 0) return waitMs
      for (const level of levels) level.takeOne()
      if (OF_READS.includes(queue)) this.lastOfOthers = 'read'
      if (queue === 'forward') this.lastOfOthers = queue
      waiter(true)
    }
  }

  /** Whose turn it is; null: nobody waits. */
  private nextQueue(): Queue | null {
    const turns: readonly Queue[] =
      this.lastOfOthers === 'forward' ? [...OF_READS, 'forward'] : ['forward', ...OF_READS]
    return [...OF_REVERTS, 'forward under way' as const, ...turns].find((queue) => this.waiters[queue].size > 0) ?? null
  }
}

function isRevertQueue(name: string): boolean {
  return OF_REVERTS.some((one) => one === name)
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

  stand(): Omit<QuotaStand, 'waiting'> {
    return { left: this.tokens, burst: this.size }
  }

  takeOne(): void {
    this.tokens -= 1
  }

  empty(): void {
    this.tokens = 0
  }
}
