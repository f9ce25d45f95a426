/**
 * Flagger. Every interval (default 60 s) it checks each metric over its own interval: `request-success-rate` with a least
 * percentage, `request-duration` with a largest 99th percentile. A failed check counts; "if the failed checks threshold is
 * reached, stops the analysis and rolls back the canary". No values found is a failed check as well ("probably is not
 * receiving traffic"). The count goes on over all weights: nothing takes it back before the analysis ends.
 *
 * https://docs.flagger.app/usage/how-it-works, https://docs.flagger.app/usage/metrics; the last two sentences: fluxcd/flagger,
 * pkg/controller/scheduler_metrics.go and pkg/canary/status.go.
 */
import type { Peer } from '../decider.ts'

/** `interval: 1m`. */
const INTERVAL_TICKS = 2
/** P99 above 500 ms: more than one of a hundred requests is slower. */
const SLOW_SHARE = 0.01

export interface FlaggerSetting {
  /** `thresholdRange.min` of request-success-rate, percent. */
  readonly leastSuccessPercent: number
  /** `threshold`: failed checks that roll back. */
  readonly threshold: number
}

export function flagger({ leastSuccessPercent, threshold }: FlaggerSetting): Peer {
  return {
    family: 'Flagger',
    setting: `success ≥ ${leastSuccessPercent} %, threshold ${threshold}`,
    isDefault: leastSuccessPercent === 99 && threshold === 10,
    begin() {
      let failedChecks = 0
      return (past, tick) => {
        if ((tick + 1) % INTERVAL_TICKS !== 0) return 'on'
        const { total, bad, slow } = past.sums('new', tick - INTERVAL_TICKS + 1, tick)
        const isGood = total > 0 && (1 - bad / total) * 100 >= leastSuccessPercent && slow / total <= SLOW_SHARE
        if (!isGood) failedChecks++
        return failedChecks >= threshold ? 'revert' : 'on'
      }
    },
  }
}
