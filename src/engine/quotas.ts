import type { Urgency } from '../core/effect.ts'
import type {
  Allowance,
  AllowanceUse,
  OpenAllowance,
  Quota,
  QuotaLevel,
  QuotaLevels,
  QuotaLimits,
  Quotas,
  QuotaUse,
} from '../ports/quota.ts'
import type { Clock } from '../ports/runtime.ts'
import { TokenLevels } from '../shared/token-levels.ts'

/** The share of an account's quota that everything but reverts may use. */
const SHARE_OF_OTHERS = 0.5

/** The quotas of all accounts. `open` says who counts: by default this process, for itself. */
export function createQuotas(clock: Clock, open: OpenAllowance = localAllowances(clock)): Quotas & QuotaLevels {
  const byAccount = new Map<string, QueuedQuota>()
  return {
    of(account, limits) {
      const known = byAccount.get(account)
      if (known) return known
      const quota = new QueuedQuota(open(account, { whole: limits, others: othersOf(limits) }), clock)
      byAccount.set(account, quota)
      return quota
    },
    levels: () => [...byAccount].map(([account, quota]) => ({ account, by: quota.stands() })),
  }
}

function othersOf({ callsPerSecond, burst }: QuotaLimits): QuotaLimits {
  return { callsPerSecond: callsPerSecond * SHARE_OF_OTHERS, burst: Math.max(1, burst * SHARE_OF_OTHERS) }
}

function localAllowances(clock: Clock): OpenAllowance {
  return (_, limits) => {
    const levels = new TokenLevels(limits, () => clock.monotonicMs())
    return {
      take: async (use) => levels.take(use),
      exhaust: () => levels.exhaust(),
      stand: () => levels.stand(),
    }
  }
}

type Queue = QuotaUse | `${Urgency} under way`

/** The order in which they are served. They have the reserve; what proves a revert comes after what makes one. */
const OF_REVERTS: readonly Queue[] = ['revert under way', 'revert', 'read for a revert']
const OF_READS: readonly Queue[] = ['read under way', 'read']

/** Called with the outcome: whether a call may be made. */
type Waiter = (isTaken: boolean) => void

/**
 * Who is next, of those in this process who wait for a call. Everybody draws from the whole; what is no revert draws from a second
 * bucket of half the size and rate too, so that half of the whole is always left to reverts. While a revert waits, or a read that one
 * waits for, nobody else is served; a write or read under way is finished before the next begins: if everybody got a first page of
 * records, nobody would have got a whole list by the deadline. Among the others reads and steps take turns, so that a long
 * queue of steps blinds nobody.
 */
class QueuedQuota implements Quota {
  private readonly allowance: Allowance
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
  private isServing = false
  /** Ends the sleep until somebody can be served. */
  private alarm = new AbortController()

  constructor(allowance: Allowance, clock: Clock) {
    this.allowance = allowance
    this.clock = clock
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
    this.allowance.exhaust()
  }

  stands(): QuotaLevel['by'] {
    const waiting = (use: AllowanceUse) =>
      Object.entries(this.waiters).reduce((sum, [name, queue]) => sum + (useOf(name) === use ? queue.size : 0), 0)
    const { revert, other } = this.allowance.stand()
    return { revert: { ...revert, waiting: waiting('revert') }, other: { ...other, waiting: waiting('other') } }
  }

  /** Sees to it that whoever is next is served as soon as may be: called when somebody came or left. */
  private serve(): void {
    this.alarm.abort()
    if (this.isServing) return
    this.isServing = true
    void this.serveAll()
  }

  private async serveAll(): Promise<void> {
    for (let queue = this.nextQueue(); queue !== null; queue = this.nextQueue()) {
      const alarm = new AbortController()
      this.alarm = alarm
      const use = useOf(queue)
      const grant = await this.allowance.take(use)
      if (grant.isTaken) this.give(use)
      else await this.clock.sleep(grant.waitMs, alarm.signal)
    }
    this.isServing = false
  }

  /**
   * Gives a call that was taken to whoever is next by now. One of the reserve is nothing for others: where no revert waits any more,
   * it is lost.
   */
  private give(use: AllowanceUse): void {
    const queue = this.nextQueue()
    const [waiter] = queue === null ? [] : this.waiters[queue]
    if (queue === null || waiter === undefined || (use === 'revert' && useOf(queue) === 'other')) return
    if (OF_READS.includes(queue)) this.lastOfOthers = 'read'
    if (queue === 'forward') this.lastOfOthers = queue
    waiter(true)
  }

  /** Whose turn it is; null: nobody waits. */
  private nextQueue(): Queue | null {
    const turns: readonly Queue[] =
      this.lastOfOthers === 'forward' ? [...OF_READS, 'forward'] : ['forward', ...OF_READS]
    return [...OF_REVERTS, 'forward under way' as const, ...turns].find((queue) => this.waiters[queue].size > 0) ?? null
  }
}

function useOf(queue: string): AllowanceUse {
  return OF_REVERTS.some((one) => one === queue) ? 'revert' : 'other'
}
