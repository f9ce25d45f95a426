/** What the results mean: the targets, the tables, the picture. */
import type { HarmGate, Plan } from '../../src/core/plan.ts'
import { atLeast, atMost, type Illustrated, percentile, type Table, type Target } from '../lib.ts'
import { type Change, leastRequests } from './bound.ts'
import type { Cost } from './cost.ts'
import { ALONE, ALPHA_TIMES, HEADGATE, sweptName } from './deciders.ts'
import { paretoPicture } from './picture.ts'
import { AVAILABILITY, LATENCY, planFor } from './plan.ts'
import type { Results } from './pool.ts'
import { proofTimes } from './proof-times.ts'
import { CALM_BAD_SHARE, NAMES } from './scenarios.ts'
import { TICKS } from './schedule.ts'
import {
  type Best,
  bestPeer,
  type Contender,
  contenderOf,
  contenders,
  mean,
  medianFailed,
  tallyOf,
  worstFalse,
} from './summary.ts'
import { scenarioTables, shownDeciders, sweepTable } from './tables.ts'
import { perThousand } from './tally.ts'

export interface Measured {
  readonly results: Results
  readonly cost: Cost
  readonly counts: {
    readonly healthy: number
    readonly bursty: number
    readonly faults: number
    readonly decisions: number
    readonly seed: number
  }
  readonly seconds: number
}

const CHANGE: Change = { share: 0.05, oldBadShare: CALM_BAD_SHARE, newBadShare: 0.01 }

/** Medians and means that are held to something need more runs. */
export function targetRuns(faults: number): number {
  return 5 * faults
}

export function reportOf(measured: Measured): Illustrated {
  const { results } = measured
  const peers = contenders(results)
  const best = bestPeer(peers)
  const swept = [...ALPHA_TIMES, 1].toSorted((a, b) => a - b)
  const ours = swept.map((times) => contenderOf(results, times === 1 ? HEADGATE : sweptName(times), HEADGATE))
  return {
    targets: targetsOf(measured, best),
    details: {
      Setting: settingTable(measured),
      'Best peer': bestTable(results, best),
      'Best of each family': familyTable(results, peers),
      'Requests on NEW until revert, 0.05 % → 1 % at 5 %, at an unknown tick': changeTable(results),
      'Cost of a decision, µs of CPU': costTable(measured),
      ...scenarioTables(results, shownDeciders(best)),
      'Minutes until proof lets the weight be raised, median': proofTimes(
        planFor([AVAILABILITY]),
        measured.counts.seed,
      ),
      'All settings that were tried': sweepTable([...ours, ...peers]),
    },
    pictures: { 'decisions.svg': paretoPicture(ours, peers) },
  }
}

function targetsOf({ results, cost }: Measured, best: Best): readonly Target[] {
  const failed = medianFailed(tallyOf(results, NAMES.headline, HEADGATE))
  const shared = tallyOf(results, NAMES.shared, HEADGATE)
  const slower = tallyOf(results, NAMES.slower, HEADGATE).outcomes
  // What was not found took at least to the rollout's end.
  const slowerTicks = slower.map(({ decisionTicks }) => decisionTicks ?? TICKS)
  return [
    atMost('false_reverts_per_1000_max', worstFalse(results, HEADGATE, 'reverts'), 'per 1,000', 1),
    atMost('false_halts_per_1000_max', worstFalse(results, HEADGATE, 'halts'), 'per 1,000', 10),
    atMost('failed_requests_median', failed, 'requests', 15),
    atLeast('best_peer_over_ours', best.contender.failedMedian / failed, 'times', 3),
    atMost(
      'change_point_ratio',
      requestsUntilRevert(results, ALONE) / bound(planFor([AVAILABILITY]), TICKS),
      'times',
      1.3,
    ),
    atMost('shared_shock_reverts_per_1000', perThousand(shared.reverts, shared.runs), 'per 1,000', 0),
    atMost('latency_detection_ticks', percentile(slowerTicks, 50), 'ticks', 3),
    atMost('decision_microseconds', cost.decisionMicroseconds, 'µs', 10),
  ]
}

function requestsUntilRevert(results: Results, decider: string): number {
  return mean(tallyOf(results, NAMES.unknownTick, decider).outcomes, ({ requestsUntilRevert: requests }) => requests)
}

function bound(plan: Plan, ticks: number): number {
  const gate = plan.gates.find((one): one is HarmGate => one.kind === 'harm')
  if (!gate) throw new Error('the plan has no test of harm')
  return leastRequests(CHANGE, gate.revert, ticks)
}

function changeTable(results: Results): Table {
  const rows = [
    { decider: ALONE, plan: planFor([AVAILABILITY]) },
    { decider: HEADGATE, plan: planFor([AVAILABILITY, LATENCY]) },
  ]
  return Object.fromEntries(
    rows.map(({ decider, plan }) => {
      const requests = requestsUntilRevert(results, decider)
      const [unknown, known] = [bound(plan, TICKS), bound(plan, 1)]
      return [
        decider,
        {
          'mean requests': Math.round(requests),
          [`ln(${TICKS}/α)/KL`]: Math.round(unknown),
          ratio: round(requests / unknown),
          "Wald's ln(1/α)/KL": Math.round(known),
          'ratio to it': round(requests / known),
        },
      ]
    }),
  )
}

function bestTable(results: Results, { contender, why }: Best): Table {
  const failed = (decider: string) => medianFailed(tallyOf(results, NAMES.headline, decider))
  const value = (text: number | string) => ({ value: text })
  return {
    peer: value(contender.name),
    'chosen because': value(why),
    'its worst false reverts per 1,000': value(round(contender.falseReverts)),
    'its median failed requests': value(contender.failedMedian),
    'its reverts, % of faults': value(round(contender.revertedPercent)),
    'median failed requests of Headgate': value(failed(HEADGATE)),
    'median failed requests of Headgate, availability alone': value(failed(ALONE)),
  }
}

/** Each family by itself, so that one can see what a choice among them would change. */
function familyTable(results: Results, peers: readonly Contender[]): Table {
  const ours = medianFailed(tallyOf(results, NAMES.headline, HEADGATE))
  const families = Map.groupBy(
    peers.filter(({ failedMedian }) => Number.isFinite(failedMedian)),
    ({ family }) => family,
  )
  return Object.fromEntries(
    [...families].map(([family, members]) => {
      const { contender, why } = bestPeer(members)
      return [
        family,
        {
          setting: contender.name.slice(family.length + 2),
          'worst false reverts per 1,000': round(contender.falseReverts),
          'median failed until revert': contender.failedMedian,
          'reverted, %': round(contender.revertedPercent),
          'over ours': round(contender.failedMedian / ours),
          'chosen because': why,
        },
      ]
    }),
  )
}

function settingTable({ counts, seconds }: Measured): Table {
  return {
    'runs of each healthy scenario, and of the shared shock': { value: counts.healthy },
    'runs of the bursty one, at least': { value: counts.bursty },
    'runs of each fault': { value: counts.faults },
    'runs of each fault that a target is taken from': { value: targetRuns(counts.faults) },
    'decisions timed': { value: counts.decisions },
    'first seed': { value: counts.seed },
    'seconds that it took': { value: Math.round(seconds) },
  }
}

function costTable({ cost, counts }: Measured): Table {
  const { decisionMicroseconds, emptyLoopMicroseconds, gates } = cost
  return {
    'one decision': { mean: round(decisionMicroseconds), count: counts.decisions, gates },
    'an empty loop': { mean: round(emptyLoopMicroseconds), count: counts.decisions },
  }
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000
}
