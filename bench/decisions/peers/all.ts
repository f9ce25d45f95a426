import type { Peer } from '../decider.ts'
import { stageOf, TICKS_A_STAGE } from '../schedule.ts'
import { argo } from './argo.ts'
import { shortBurn, workbook } from './burn.ts'
import { flagger } from './flagger.ts'
import { kayenta } from './kayenta.ts'
import { zTest } from './z-test.ts'

const LEAST_SUCCESS = [99.9, 99.7, 99.5, 99.3, 99, 98, 95] as const

const FACTORS = [0.5, 0.7, 0.85, 1, 1.2, 1.4, 1.6, 2, 4] as const

/** Every peer in every setting: the thresholds that its users turn, finely where it begins to be of use. */
export const PEERS: readonly Peer[] = [
  ...LEAST_SUCCESS.flatMap((leastSuccessPercent) =>
    [1, 3, 5, 10].map((threshold) => flagger({ leastSuccessPercent, threshold })),
  ),
  ...LEAST_SUCCESS.flatMap((leastSuccessPercent) =>
    [0, 1, 2, 3].flatMap((failureLimit) =>
      [2, 10].map((intervalTicks) => argo({ leastSuccessPercent, failureLimit, intervalTicks })),
    ),
  ),
  ...(['cumulative', 'look-back'] as const).flatMap((series) =>
    [98, 99.9, 99.99, 99.9999].flatMap((confidencePercent) =>
      [2, 10].map((intervalTicks) => kayenta({ confidencePercent, series, intervalTicks }, stageOf, TICKS_A_STAGE)),
    ),
  ),
  ...[0.5, 1, 2, 4, 8].map(workbook),
  ...FACTORS.flatMap((factors) =>
    (['halt', 'revert'] as const).map((second) => shortBurn({ factors, guards: 1, second })),
  ),
  ...FACTORS.flatMap((factors) => [2, 2.5, 3, 4].map((guards) => shortBurn({ factors, guards, second: 'revert' }))),
  ...[2.33, 4, 8, 12, 16].flatMap((z) =>
    [0, 5, 10, 20].map((leastBad) => zTest({ z, leastBad }, stageOf, TICKS_A_STAGE)),
  ),
]
