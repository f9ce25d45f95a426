/** Figures of one decider over the scenarios. */
import { percentile } from '../lib.ts'
import { nameOf } from './measure.ts'
import { PEERS } from './peers/all.ts'
import type { Results } from './pool.ts'
import { NAMES, SCENARIOS } from './scenarios.ts'
import { emptyTally, type Outcome, perThousand, type Tally } from './tally.ts'

/** Reverts that a decider may have in each healthy scenario to be compared with. */
const ACCEPTABLE_PER_1000 = 1

export function tallyOf(results: Results, scenario: string, decider: string): Tally {
  return results[scenario]?.[decider] ?? emptyTally()
}

export const HEALTHY_OF_ISSUE = SCENARIOS.filter(({ kind, isOfIssue }) => kind === 'healthy' && isOfIssue)

/** The worst of all healthy scenarios of the issue, per 1,000 rollouts. */
export function worstFalse(results: Results, decider: string, count: 'reverts' | 'halts'): number {
  const rates = HEALTHY_OF_ISSUE.map(({ name }) => {
    const tally = tallyOf(results, name, decider)
    return perThousand(tally[count], tally.runs)
  })
  return Math.max(...rates)
}

/** What is never reverted counts with all its failures up to the rollout's end, so that this is never too good. */
export function medianFailed(tally: Tally): number {
  return percentile(
    tally.outcomes.map(({ failedUntilRevert }) => failedUntilRevert),
    50,
  )
}

export function mean(outcomes: readonly Outcome[], of: (outcome: Outcome) => number): number {
  return outcomes.reduce((sum, outcome) => sum + of(outcome), 0) / outcomes.length
}

export interface Contender {
  readonly name: string
  readonly family: string
  readonly falseReverts: number
  /** At the headline's fault; NaN: it always reverted before the fault began. */
  readonly failedMedian: number
  readonly revertedPercent: number
}

/** Every setting of every peer, at what the issue measures. */
export function contenders(results: Results): readonly Contender[] {
  return PEERS.map((peer) => contenderOf(results, nameOf(peer), peer.family))
}

export function contenderOf(results: Results, name: string, family: string): Contender {
  const tally = tallyOf(results, NAMES.headline, name)
  return {
    name,
    family,
    falseReverts: worstFalse(results, name, 'reverts'),
    failedMedian: medianFailed(tally),
    revertedPercent: tally.outcomes.length === 0 ? 0 : (tally.reverts / tally.outcomes.length) * 100,
  }
}

export interface Best {
  readonly contender: Contender
  /** Whether it keeps its false reverts low enough, and finds the fault in more than half of the runs. */
  readonly why: string
}

/** The peers' best: among those without too many false reverts the one with the fewest failed requests. */
export function bestPeer(all: readonly Contender[]): Best {
  const measured = all.filter(({ failedMedian }) => Number.isFinite(failedMedian))
  const acceptable = measured.filter(({ falseReverts }) => falseReverts <= ACCEPTABLE_PER_1000)
  const finding = acceptable.filter(({ revertedPercent }) => revertedPercent > 50)
  const least = Math.min(...measured.map(({ falseReverts }) => falseReverts))
  const [pool, why] =
    finding.length > 0
      ? [finding, `at most ${ACCEPTABLE_PER_1000} false revert in 1,000, and finds the fault`]
      : acceptable.length > 0
        ? [
            acceptable,
            'no setting with so few false reverts finds the fault in half of the runs: failures count to the end',
          ]
        : [
            measured.filter(({ falseReverts }) => falseReverts === least),
            'none has so few false reverts: the least bad',
          ]
  const [contender] = pool.toSorted((a, b) => a.failedMedian - b.failedMedian)
  if (!contender) throw new Error('every peer reverted before the fault began, in every run')
  return { contender, why }
}
