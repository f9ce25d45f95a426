/** The report's tables. */
import { percentile, type Table } from '../lib.ts'
import { ALONE, HEADGATE } from './deciders.ts'
import { nameOf } from './measure.ts'
import { PEERS } from './peers/all.ts'
import type { Results } from './pool.ts'
import { SCENARIOS, type Scenario } from './scenarios.ts'
import { TICK_SECONDS, TICKS } from './schedule.ts'
import { type Best, type Contender, tallyOf } from './summary.ts'
import { perThousand, type Tally } from './tally.ts'

type Row = Readonly<Record<string, number | string>>

/** Ours, the best of theirs, and each of theirs as its documentation has it. */
export function shownDeciders(best: Best): readonly string[] {
  const defaults = PEERS.filter(({ isDefault }) => isDefault).map(nameOf)
  return [...new Set([HEADGATE, ALONE, best.contender.name, ...defaults])]
}

export function scenarioTables(results: Results, deciders: readonly string[]): Readonly<Record<string, Table>> {
  return {
    'False reverts per 1,000 rollouts': falseTable(results, deciders, 'reverts'),
    'False halts per 1,000 rollouts': falseTable(results, deciders, 'halts'),
    ...Object.fromEntries(
      SCENARIOS.filter(({ kind }) => kind === 'fault').map((scenario) => [
        `Fault: ${titleOf(scenario)}`,
        faultTable(results, scenario, deciders),
      ]),
    ),
  }
}

function titleOf({ name, isOfIssue }: Scenario): string {
  return isOfIssue ? name : `${name} (extra)`
}

function falseTable(results: Results, deciders: readonly string[], count: 'reverts' | 'halts'): Table {
  // Halting on a shared shock is right; reverting is not.
  const rows = SCENARIOS.filter(({ kind }) => kind === 'healthy' || (kind === 'shared' && count === 'reverts'))
  return Object.fromEntries(
    rows.map((scenario) => [
      titleOf(scenario),
      Object.fromEntries(
        deciders.flatMap((decider) => {
          const tally = tallyOf(results, scenario.name, decider)
          return tally.runs === 0 ? [] : [[decider, short(perThousand(tally[count], tally.runs))]]
        }),
      ),
    ]),
  )
}

function faultTable(results: Results, { name }: Scenario, deciders: readonly string[]): Table {
  return Object.fromEntries(
    deciders.flatMap((decider) => {
      const tally = tallyOf(results, name, decider)
      return tally.runs === 0 ? [] : [[decider, faultRow(tally)]]
    }),
  )
}

function faultRow({ runs, early, outcomes }: Tally): Row {
  const found = outcomes.flatMap(({ decisionTicks }) => (decisionTicks === null ? [] : [decisionTicks]))
  const reverted = outcomes.flatMap(({ revertTicks }) => (revertTicks === null ? [] : [revertTicks]))
  const drains = outcomes.flatMap(({ failedInDrain }) => (failedInDrain === null ? [] : [failedInDrain]))
  const at = (samples: readonly number[], percent: number) =>
    samples.length === 0 ? '–' : short(percentile(samples, percent))
  const pair = (samples: readonly number[]) => `${at(samples, 50)} / ${at(samples, 90)}`
  const share = (part: number) => (outcomes.length === 0 ? '–' : short((part / outcomes.length) * 100))
  return {
    'too early, per 1,000': short(perThousand(early, runs)),
    'found, %': share(found.length),
    'reverted, %': share(reverted.length),
    'ticks to decision, p50 / p90': pair(found),
    'ticks to revert, p50 / p90': pair(reverted),
    'failed until decision, p50 / p90': pair(outcomes.map(({ failedUntilDecision }) => failedUntilDecision)),
    'failed until revert, p50 / p90': pair(outcomes.map(({ failedUntilRevert }) => failedUntilRevert)),
    'failed in the drain, p50': at(drains, 50),
    'mean rollout, min': short(
      outcomes.length === 0 ? 0 : (meanTicks(outcomes.map(({ revertTicks }) => revertTicks)) * TICK_SECONDS) / 60,
    ),
  }
}

/** From the fault; what is not reverted goes through to the end. */
function meanTicks(revertTicks: readonly (number | null)[]): number {
  return revertTicks.reduce<number>((sum, ticks) => sum + (ticks ?? TICKS), 0) / revertTicks.length
}

/** All settings that were tried. */
export function sweepTable(all: readonly Contender[]): Table {
  return Object.fromEntries(
    all.map(({ name, falseReverts, failedMedian, revertedPercent }) => [
      name,
      {
        'worst false reverts per 1,000': short(falseReverts),
        'median failed until revert': Number.isFinite(failedMedian) ? short(failedMedian) : 'reverted before the fault',
        'reverted, %': short(revertedPercent),
      },
    ]),
  )
}

function short(value: number): number {
  return Math.round(value * 10) / 10
}
