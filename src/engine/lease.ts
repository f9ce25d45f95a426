import { Problem, type ProblemJson } from '../core/problem.ts'
import type { Clock, Log } from '../ports/runtime.ts'
import type { Lease, Store } from '../ports/store.ts'

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
  private validUntilMs = Number.NEGATIVE_INFINITY
  private readonly stopping = new AbortController()
  private loop: Promise<void> | null = null
  /** Why the lease is not held; null: it is. */
  trouble: ProblemJson | null = null
  private readonly store: Store
  private readonly owner: string
  private readonly deps: { readonly clock: Clock; readonly log: Log }

  constructor(store: Store, owner: string, deps: LeaseKeeper['deps']) {
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
    const nowMs = this.deps.clock.nowMs()
    // A clock that went back must not stretch the lease.
    return this.lease !== null && nowMs < this.validUntilMs && nowMs > this.validUntilMs - 2 * LEASE_MS
  }

  /** The fencing token of the lease; null: it is not held, or not for as long as a write may take. */
  heldToken(): number | null {
    const isLongEnough = this.validUntilMs - this.deps.clock.nowMs() >= WRITE_TIMEOUT_MS
    return this.lease !== null && this.isHeld() && isLongEnough ? this.lease.token : null
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
    const nowMs = this.deps.clock.nowMs()
    try {
      this.lease = await this.store.lease(this.owner, nowMs, LEASE_MS)
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      if (error.code === 'STORE_LEASE_HELD' || error.code === 'STORE_LOST') this.lease = null
      this.trouble = error.toJSON()
      throw error
    }
    this.validUntilMs = nowMs + LEASE_MS
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
    const ageMs = LEASE_MS - (this.validUntilMs - this.deps.clock.nowMs())
    return Math.min(RENEWAL_MS, Math.max(0, RENEWAL_MS - ageMs))
  }
}
