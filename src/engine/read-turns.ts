import type { Urgency } from '../core/effect.ts'
import type { Quota, Quotas, ReadUse } from '../ports/quota.ts'

/** Tells an account's quota what the reads of one scope are: an adapter knows only that they are reads. */
export class ReadTurns {
  /** One for each read under way: whether a revert waits for it. */
  private readonly underWay: Urgency[] = []
  /** Calls that were allowed since the first of the reads under way began. */
  private calls = 0
  private waiting = 0

  /** The quotas as the scope's adapter is to see them. */
  over(quotas: Quotas): Quotas {
    return { of: (account, limits) => this.overOne(quotas.of(account, limits)) }
  }

  /** Does one read of the scope. */
  async during<T>(urgency: Urgency, read: () => Promise<T>): Promise<T> {
    this.underWay.push(urgency)
    try {
      return await read()
    } finally {
      this.underWay.splice(this.underWay.indexOf(urgency), 1)
      if (this.underWay.length === 0) this.calls = 0
    }
  }

  /** Whether a read waits for the quota now. */
  get isWaiting(): boolean {
    return this.waiting > 0
  }

  private overOne(quota: Quota): Quota {
    return {
      turn: (urgency, signal) => quota.turn(urgency, signal),
      take: (use, signal) => (use === 'read' ? this.take(quota, signal) : quota.take(use, signal)),
      exhaust: () => quota.exhaust(),
    }
  }

  private async take(quota: Quota, signal: AbortSignal): Promise<boolean> {
    this.waiting += 1
    const isTaken = await quota.take(this.use(), signal)
    this.waiting -= 1
    if (isTaken && this.underWay.length > 0) this.calls += 1
    return isTaken
  }

  private use(): ReadUse {
    if (this.underWay.includes('revert')) return 'read for a revert'
    return this.calls > 0 ? 'read under way' : 'read'
  }
}
