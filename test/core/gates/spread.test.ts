import { describe, expect, test } from 'vitest'
import { alternatives, evidenceOf, type HarmRule, raise, type Stakes } from '../../../src/core/gates/harm-test.ts'
import { NO_RESTARTS, restart } from '../../../src/core/gates/restarts.ts'
import type { Counts } from '../../../src/core/observation.ts'
import type { Sides } from '../../../src/core/plan.ts'
import { chanceOf, poissons } from '../../support/chance.ts'

// What ADR 19 says of counts that a recorded ratio spreads over its window: 30 ticks of 10 s for one of 5 min.
const WINDOW_TICKS = 30
const STAGE_TICKS = 90
const NEW_SHARES = [0.01, 0.1, 0.5, 0.9]
const REQUESTS = 200
const OLD_RATE = 0.002
const ROLLOUTS = 300
const ALPHA = 0.05
const RULE: HarmRule = { ratio: 1, margin: 0.001, alternatives: alternatives([2, 1 / 3], [5, 1 / 3], [20, 1 / 3]) }

type Tick = Sides<Counts>

function rollout(seed: number, newRate: number): readonly Tick[] {
  const [chance, poisson] = [chanceOf(seed), poissons()]
  const side = (total: number, rate: number): Counts => ({ total, bad: poisson(total * rate, chance) })
  return NEW_SHARES.flatMap((share) =>
    Array.from({ length: STAGE_TICKS }, () => ({
      old: side(REQUESTS * (1 - share), OLD_RATE),
      new: side(REQUESTS * share, newRate),
    })),
  )
}

/** Each event a thirtieth in its tick and in each of the 29 after it. */
function spread(ticks: readonly Tick[]): readonly Tick[] {
  const mean = (side: 'old' | 'new', key: keyof Counts, index: number) =>
    ticks.slice(Math.max(0, index - WINDOW_TICKS + 1), index + 1).reduce((sum, tick) => sum + tick[side][key], 0) /
    WINDOW_TICKS
  const counts = (side: 'old' | 'new', index: number) => ({
    total: mean(side, 'total', index),
    bad: mean(side, 'bad', index),
  })
  return ticks.map((_, index) => ({ old: counts('old', index), new: counts('new', index) }))
}

/** The tick of the first alarm; null: there is none. */
function alarmOf(ticks: readonly Tick[]): number | null {
  let stakes: Stakes = []
  let restarts = NO_RESTARTS
  for (const [index, counts] of ticks.entries()) {
    const stage = { index: Math.floor(index / STAGE_TICKS), count: NEW_SHARES.length, plannedTicks: STAGE_TICKS }
    const next = restart(restarts, stage)
    restarts = next.restarts
    stakes = raise(stakes, RULE, { counts, share: next.share, dispersion: 1 })
    if (evidenceOf(stakes, RULE, restarts.spent) >= 1 / ALPHA) return index
  }
  return null
}

describe('counts that are spread over a window', () => {
  test('stop no more rollouts by chance than the policy allows, at the very bound of what NEW may do', () => {
    const rate = OLD_RATE * RULE.ratio + RULE.margin
    const rollouts = Array.from({ length: ROLLOUTS }, (_, seed) => rollout(seed + 1, rate))
    const [exact, blurred] = [rollouts, rollouts.map(spread)].map(
      (all) => all.filter((ticks) => alarmOf(ticks) !== null).length / ROLLOUTS,
    )
    expect(exact).toBeLessThanOrEqual(ALPHA)
    expect(blurred).toBeLessThanOrEqual(exact ?? 0)
  })

  test('find harm all the same, later by no more than a window and a bit', () => {
    const rollouts = Array.from({ length: 40 }, (_, seed) => rollout(seed + 1000, OLD_RATE * 20))
    for (const ticks of rollouts) {
      const [exact, blurred] = [alarmOf(ticks), alarmOf(spread(ticks))]
      if (exact === null || blurred === null) throw new Error('harm was not found')
      expect(blurred).toBeGreaterThanOrEqual(exact)
      expect(blurred - exact).toBeLessThanOrEqual(2 * WINDOW_TICKS)
    }
  })
})
