/**
 * Argo Rollouts, background analysis. Every interval one measurement of each metric: Successful, Failed, Inconclusive (neither
 * condition is met, as with the NaN of 0/0), or Error (no answer). The run fails when the failed ones are more than
 * `failureLimit` (default 0): the rollout aborts, its weight goes to zero. More inconclusive ones than `inconclusiveLimit`
 * (default 0) pause it for a person. More errors in a row than `consecutiveErrorLimit` (default 4) abort it as well.
 *
 * https://argo-rollouts.readthedocs.io/en/stable/features/analysis/ and .../analysis/prometheus/ (the example: every 5 min over
 * 5 min, at least 95 %, failureLimit 3); the limits' defaults: argoproj/argo-rollouts,
 * pkg/apis/rollouts/v1alpha1/analysis_types.go.
 */
import type { Peer } from '../decider.ts'

const INCONCLUSIVE_LIMIT = 0
const CONSECUTIVE_ERROR_LIMIT = 4
/** The second metric: not more than one of a hundred requests slower than 500 ms. */
const SLOW_SHARE = 0.01

export interface ArgoSetting {
  /** `successCondition: result[0] >= …`, and below it `failureCondition`, percent. */
  readonly leastSuccessPercent: number
  readonly failureLimit: number
  /** `interval`, and the window of the query. */
  readonly intervalTicks: number
}

export function argo({ leastSuccessPercent, failureLimit, intervalTicks }: ArgoSetting): Peer {
  return {
    family: 'Argo Rollouts',
    setting: `success ≥ ${leastSuccessPercent} %, failureLimit ${failureLimit}, every ${intervalTicks / 2} min`,
    isDefault: leastSuccessPercent === 95 && failureLimit === 3 && intervalTicks === 10,
    begin() {
      const failed = { bad: 0, slow: 0 }
      let [inconclusive, errorsInARow] = [0, 0]
      return (past, tick) => {
        if ((tick + 1) % intervalTicks === 0) {
          const from = tick - intervalTicks + 1
          const { total, bad, slow } = past.sums('new', from, tick)
          const isError = past.gapTicks(from, tick) === intervalTicks
          errorsInARow = isError ? errorsInARow + 1 : 0
          if (!isError && total === 0) inconclusive++
          if (total > 0 && (1 - bad / total) * 100 < leastSuccessPercent) failed.bad++
          if (total > 0 && slow / total > SLOW_SHARE) failed.slow++
        }
        if (Math.max(failed.bad, failed.slow) > failureLimit || errorsInARow > CONSECUTIVE_ERROR_LIMIT) return 'revert'
        return inconclusive > INCONCLUSIVE_LIMIT ? 'halt' : 'on'
      }
    },
  }
}
