/** How many calls a provider takes from one account. */
export interface QuotaLimits {
  /** Calls a second in the long run, > 0. */
  readonly callsPerSecond: number
  /** Calls that may come at once after a pause, ≥ 2. */
  readonly burst: number
}

/** What a call is for: reverts go first, and have the whole quota; the others share half of it. */
export type QuotaUse = 'revert' | 'forward' | 'read'

/** The quota of one account, shared by all its scopes. */
export interface Quota {
  /** Waits until one call may be made. False: the signal aborted before; then nothing was taken. */
  take(use: QuotaUse, signal: AbortSignal): Promise<boolean>
  /** The provider refused a call for its rate: whatever is left here is worth nothing. */
  exhaust(): void
}

export interface Quotas {
  /** The quota of this account: the same object for the same name, with the limits of whoever asked first. */
  of(account: string, limits: QuotaLimits): Quota
}
