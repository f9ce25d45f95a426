import type { Urgency } from '../core/effect.ts'

/** How many calls a provider takes from one account. */
export interface QuotaLimits {
  /** Calls a second in the long run, > 0. */
  readonly callsPerSecond: number
  /** Calls that may come at once after a pause, ≥ 2. */
  readonly burst: number
}

/** What a call is for: reverts go first, and have the whole quota; the others share half of it. */
export type QuotaUse = Urgency | ReadUse

/**
 * A read; a further call of one that has begun; a call of one that a revert waits for. Adapters say `read`: which of them it is,
 * the engine knows.
 */
export type ReadUse = 'read' | 'read under way' | 'read for a revert'

/** The quota of one account, shared by all its scopes. Where a signal aborts first, nothing was taken, and false is given. */
export interface Quota {
  /** Waits for the first call of a write: for who calls `TrafficScope.write`. */
  turn(urgency: Urgency, signal: AbortSignal): Promise<boolean>
  /**
   * Waits until an adapter may make one call more. Those of a write under way go before the turns of other writes that are
   * no more urgent: it would outlive its deadline behind a long queue of them.
   */
  take(use: QuotaUse, signal: AbortSignal): Promise<boolean>
  /** The provider refused a call for its rate: whatever is left here is worth nothing. */
  exhaust(): void
}

export interface Quotas {
  /** The quota of this account: the same object for the same name, with the limits of whoever asked first. */
  of(account: string, limits: QuotaLimits): Quota
}

/** What an account may still call: counted in one process, or for all replicas. */
export interface Allowance {
  /** Takes one call: for a revert from the whole, for all else from the whole and from the share of others. Never rejects. */
  take(use: AllowanceUse): Promise<Grant>
  /** Leaves nothing. */
  exhaust(): void
  /** As far as this process knows. */
  stand(): Readonly<Record<AllowanceUse, Omit<QuotaStand, 'waiting'>>>
}

export type AllowanceUse = keyof QuotaLevel['by']

/** Where nothing was taken: when to ask again, ms, > 0. */
export type Grant = { readonly isTaken: true } | { readonly isTaken: false; readonly waitMs: number }

/** Of the whole, and of the part of it that all but reverts may use. */
export type AllowanceLimits = Readonly<Record<'whole' | 'others', QuotaLimits>>

export type OpenAllowance = (account: string, limits: AllowanceLimits) => Allowance

/** Where an account's quota stands. */
export interface QuotaLevel {
  readonly account: string
  /** Reverts draw from the whole, all else from half of it. */
  readonly by: Readonly<Record<'revert' | 'other', QuotaStand>>
}

export interface QuotaStand {
  /** Calls that may be made at once, ≥ 0. */
  readonly left: number
  /** The most that `left` becomes. */
  readonly burst: number
  /** Calls that wait. */
  readonly waiting: number
}

/** The quotas of all accounts that were asked for so far. */
export interface QuotaLevels {
  levels(): readonly QuotaLevel[]
}
