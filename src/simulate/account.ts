import type { Allowance, AllowanceLimits, AllowanceUse, Grant, QuotaLimits } from '../ports/quota.ts'
import type { Clock } from '../ports/runtime.ts'
import { TokenLevels } from '../shared/token-levels.ts'

/** Little enough to be short of while a few workloads move. */
export const QUOTA: QuotaLimits = { callsPerSecond: 2, burst: 6 }
/** Who cannot reach the count asks again after, ms. */
const AWAY_MS = 1_000
/** How much longer others make way for a revert than it needs to come back for its call, ms. */
const MAKE_WAY_MS = 250

/** One process that draws from the account. */
export interface Drawer {
  readonly process: string
  readonly clock: Clock
  /** The count of all replicas cannot be reached now. */
  readonly isAway: () => boolean
}

/** The calls of the provider's account: counted for all replicas as in Redis, and each call held to what was granted. */
export class Account {
  private levels: TokenLevels | null = null
  /** Until when others make way for a revert that waits, ms. */
  private revertUntilMs = 0
  /** By process: calls that it may still make. */
  private readonly granted = new Map<string, number>()
  private readonly clock: Clock

  constructor(clock: Clock) {
    this.clock = clock
  }

  /** As one process counts. */
  allowanceOf({ process, clock, isAway }: Drawer, limits: AllowanceLimits): Allowance {
    const shared = this.levels ?? new TokenLevels(limits, () => this.clock.monotonicMs())
    this.levels = shared
    // What it last heard, and what has come and gone since.
    const own = new TokenLevels(limits, () => clock.monotonicMs())
    const take = (use: AllowanceUse): Grant => {
      if (isAway()) return use === 'revert' ? own.take(use) : { isTaken: false, waitMs: AWAY_MS }
      const grant = this.take(shared, use)
      const { revert, other } = shared.stand()
      own.set({ whole: revert.left, others: other.left })
      return grant
    }
    return {
      take: async (use) => {
        const grant = take(use)
        if (grant.isTaken) this.granted.set(process, (this.granted.get(process) ?? 0) + 1)
        return grant
      },
      exhaust: () => {
        if (!isAway()) shared.exhaust()
        own.exhaust()
      },
      stand: () => shared.stand(),
    }
  }

  /** A call has come from this process. False: it had no leave to make it. */
  spend(process: string): boolean {
    const left = (this.granted.get(process) ?? 0) - 1
    this.granted.set(process, Math.max(0, left))
    return left >= 0
  }

  private take(levels: TokenLevels, use: AllowanceUse): Grant {
    const nowMs = this.clock.monotonicMs()
    if (use === 'other' && nowMs < this.revertUntilMs) return { isTaken: false, waitMs: this.revertUntilMs - nowMs }
    const grant = levels.take(use)
    if (use === 'revert' && !grant.isTaken) this.revertUntilMs = nowMs + grant.waitMs + MAKE_WAY_MS
    return grant
  }
}
