import type { IncomingHttpHeaders } from 'undici/types/header.js'

/**
 * What Datadog says of its rate limits, by endpoint: once nothing is left of a period, nobody asks until the next one.
 * "Rate limits" in its API reference: the header `X-RateLimit-Reset` gives the seconds until then.
 */
export interface Rates {
  /** How long nobody may ask, seconds, above 0; null: ask. */
  waitSeconds(endpoint: string): number | null
  note(endpoint: string, status: number, headers: IncomingHttpHeaders): void
}

/** Where a refusal does not say how long it is for, seconds. */
const UNTOLD_SECONDS = 30
/** What a header may make us wait, seconds: no period is longer than an hour. */
const MAX_SECONDS = 3600

export function createRates(nowMs: () => number): Rates {
  const closedUntilMs = new Map<string, number>()
  return {
    waitSeconds(endpoint) {
      const waitMs = (closedUntilMs.get(endpoint) ?? 0) - nowMs()
      // A clock that was put back must not keep us waiting for longer than any period is.
      return waitMs > 0 && waitMs <= MAX_SECONDS * 1000 ? Math.ceil(waitMs / 1000) : null
    },
    note(endpoint, status, headers) {
      const left = numberOf(headers['x-ratelimit-remaining'])
      if (status !== 429 && left !== 0) return
      const told = numberOf(headers['x-ratelimit-reset']) ?? numberOf(headers['x-ratelimit-period'])
      const seconds = Math.min(told ?? UNTOLD_SECONDS, MAX_SECONDS)
      closedUntilMs.set(endpoint, nowMs() + seconds * 1000)
    },
  }
}

/** null: the header is not there, or says nothing of use. */
function numberOf(header: string | string[] | undefined): number | null {
  if (typeof header !== 'string' || !/^\d+(?:\.\d+)?$/.test(header)) return null
  return Number(header)
}
