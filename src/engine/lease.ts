import { Problem, type ProblemJson } from '../core/problem.ts'
import type { Clock, Log } from '../ports/runtime.ts'
import type { Lease, ShardStore } from '../ports/store.ts'

/** How long the lease lasts without a renewal, ms. After a crash the next owner waits so long at most. */
export const LEASE_MS = 10_000
const RENEWAL_MS = LEASE_MS / 3
/**
 * What a call to a provider may take, ms. It begins only while the lease lasts longer than that, so that it has ended when
 * another process may begin to write.
 */
export const WRITE_TIMEOUT_MS = LEASE_MS / 2

/**
 * Holds the shard's lease and renews it. `heldToken` is asked before each write: a process that slept through its lease
 * finds out before it does harm.
 */
export class LeaseKeeper {
  private lease: Lease | null = null
  /** When the call that gave the lease began, by both clocks; null: no call ever did. */
  private takenAt: { readonly wallMs: number; readonly monotonicMs: number } | null = null
  private readonly stopping = new AbortController()
  private loop: Promise<void> | null = null
  /** Why the lease is not held; null: it is. */
  trouble: ProblemJson | null = null
  private readonly store: ShardStore
  private readonly owner: string
  private readonly deps: { readonly clock: Clock; readonly log: Log }

  constructor(store: ShardStore, owner: string, deps: LeaseKeeper['deps']) {
    this.store = store
    this.owner = owner
    this.deps = deps
  }

  /** The lease, if it is still good; else tries to get it. Throws what the store throws. */
  async hold(): Promise<Lease> {
    if (this.lease && this.isHeld()) return this.lease
    return this.renew()
  }

  private isHeld(): boolean {
    return this.lease !== null && this.ageMs() < LEASE_MS
  }

  /**
   * Since the lease was taken, by the clock that says more: the wall may be set back, the other one may stand still while the
   * machine is suspended, and whoever waits for the lease to end may go by either.
   */
  private ageMs(): number {
    if (this.takenAt === null) return Number.POSITIVE_INFINITY
    const { clock } = this.deps
    return Math.max(clock.nowMs() - this.takenAt.wallMs, clock.monotonicMs() - this.takenAt.monotonicMs)
  }

  /** The fencing token of the lease; null: it is not held, or not for as long as a write may take. */
  heldToken(): number | null {
    return this.lease !== null && LEASE_MS - this.ageMs() >= WRITE_TIMEOUT_MS ? this.lease.token : null
  }

  /** The token of the lease, whether or not it still lasts; null: there is none. */
  get token(): number | null {
    return this.lease?.token ?? null
  }

  keep(): void {
    this.loop = this.renewForEver()
  }

  async release(): Promise<void> {
    this.stopping.abort()
    await this.loop
    if (this.lease) await this.store.release(this.lease)
    this.lease = null
  }

  private async renew(): Promise<Lease> {
    const { clock } = this.deps
    const takenAt = { wallMs: clock.nowMs(), monotonicMs: clock.monotonicMs() }
    try {
      this.lease = await this.store.lease(this.owner, takenAt.wallMs, LEASE_MS)
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      if (error.code === 'STORE_LEASE_HELD' || error.code === 'STORE_LOST') this.lease = null
      this.trouble = error.toJSON()
      throw error
    }
    this.takenAt = takenAt
    this.trouble = null
    return this.lease
  }

  private async renewForEver(): Promise<void> {
    const { signal } = this.stopping
    let waitMs = this.untilRenewalMs()
    while (!signal.aborted) {
      await this.deps.clock.sleep(waitMs, signal)
      if (signal.aborted) return
      try {
        await this.renew()
        waitMs = this.untilRenewalMs()
      } catch (error) {
        this.deps.log.warn({ error: error instanceof Problem ? error.toJSON() : error }, 'the lease was not renewed')
        waitMs = RENEWAL_MS
      }
    }
  }

  /**
   * Counted from when the lease began, not from now: a start that was slow, or a store that is, must not leave too little of it
   * for a write.
   */
  private untilRenewalMs(): number {
    return Math.max(0, RENEWAL_MS - this.ageMs())
  }
}
