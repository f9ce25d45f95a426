import { describe, expect, test } from 'vitest'
import { evidencePerRequest, leastRequests } from '../../bench/decisions/bound.ts'
import { HEADGATE } from '../../bench/decisions/deciders.ts'
import { follow, measureRuns } from '../../bench/decisions/measure.ts'
import { paretoPicture } from '../../bench/decisions/picture.ts'
import { AVAILABILITY, LATENCY, planFor } from '../../bench/decisions/plan.ts'
import { NAMES, SCENARIOS } from '../../bench/decisions/scenarios.ts'
import { firstTickOf, TICKS } from '../../bench/decisions/schedule.ts'
import { bestPeer, type Contender } from '../../bench/decisions/summary.ts'
import { addTallies, type Tally } from '../../bench/decisions/tally.ts'
import { play } from '../../bench/decisions/world.ts'

describe('the least number of requests', () => {
  const allowance = { ratio: 1.5, margin: 0.001, alpha: 0.001 }

  test('without OLD in sight it is that of two Poisson rates', () => {
    // n0 → ∞: OLD's rate is known, and the nearest allowed one is 1.5 × 0.05 % + 0.1 %.
    const kl = evidencePerRequest({ share: 1e-6, oldBadShare: 0.0005, newBadShare: 0.01 }, allowance)
    const nearest = 1.5 * 0.0005 + 0.001
    expect(kl).toBeCloseTo(0.01 * Math.log(0.01 / nearest) - (0.01 - nearest), 5)
  })

  test('an OLD of few requests tells less', () => {
    const at = (share: number) => evidencePerRequest({ share, oldBadShare: 0.0005, newBadShare: 0.01 }, allowance)
    expect(at(0.5)).toBeLessThan(at(0.05))
    expect(at(0.9)).toBeLessThan(at(0.5))
  })

  test('what is allowed gives no evidence', () => {
    const change = { share: 0.05, oldBadShare: 0.0005, newBadShare: 0.00175 }
    expect(evidencePerRequest(change, allowance)).toBeCloseTo(0, 6)
  })

  test('an unknown tick costs the logarithm of their number', () => {
    const change = { share: 0.05, oldBadShare: 0.0005, newBadShare: 0.01 }
    const kl = evidencePerRequest(change, allowance)
    expect(leastRequests(change, allowance, 140) - leastRequests(change, allowance, 1)).toBeCloseTo(
      Math.log(140) / kl,
      6,
    )
  })
})

describe('a run', () => {
  const headline = SCENARIOS.find(({ name }) => name === NAMES.headline)
  if (!headline) throw new Error('there is no headline')
  const world = play(headline, 1)
  const fault = firstTickOf(5)
  const at = (tick: number, say: 'halt' | 'revert') => (_: unknown, now: number) => (now === tick ? say : 'on')

  test('that is never found counts all failures to the end', () => {
    const { outcomes, reverts } = follow(world, () => 'on')
    const failed = world.trulyBad.slice(fault).reduce((sum, bad) => sum + bad, 0)
    expect(reverts).toBe(0)
    expect(outcomes).toMatchObject([{ decisionTicks: null, revertTicks: null, failedUntilRevert: failed }])
  })

  test('that is reverted at the end of its second tick counts the failures of two', () => {
    const { outcomes } = follow(world, at(fault + 1, 'revert'))
    const failed = (world.trulyBad[fault] ?? 0) + (world.trulyBad[fault + 1] ?? 0)
    expect(outcomes).toMatchObject([{ decisionTicks: 2, revertTicks: 2, failedUntilDecision: failed }])
  })

  test('that is stopped before the fault is a false alarm, and nothing else', () => {
    expect(follow(world, at(fault - 1, 'halt'))).toEqual({ runs: 1, reverts: 0, halts: 0, early: 1, outcomes: [] })
  })

  test('gives the same figures whoever counts it, and whenever', () => {
    const whole = measureRuns({ scenario: 'healthy', firstSeed: 1, runs: 4 })
    const parts: Record<string, Tally> = {}
    addTallies(parts, measureRuns({ scenario: 'healthy', firstSeed: 1, runs: 1 }))
    addTallies(parts, measureRuns({ scenario: 'healthy', firstSeed: 2, runs: 3 }))
    expect(parts).toEqual(whole)
    expect(whole[HEADGATE]?.runs).toBe(4)
  })

  test('of five percent failures is reverted by Headgate', () => {
    const tally = measureRuns({ scenario: 'errors 5 % at 50 %', firstSeed: 1, runs: 3 })[HEADGATE]
    expect(tally).toMatchObject({ runs: 3, reverts: 3, early: 0 })
  })
})

test('the plan is the preset: all tests share the false halts, the one that may revert has the false reverts', () => {
  const tests = planFor([AVAILABILITY, LATENCY]).gates.flatMap((gate) => (gate.kind === 'harm' ? [gate] : []))
  for (const { halt } of tests) expect(halt.alpha).toBeCloseTo(0.01 / 3, 9)
  expect(tests.filter(({ worst }) => worst === 'revert').map(({ revert }) => revert.alpha)).toEqual([0.001])
  expect(planFor([AVAILABILITY]).steps.length * 20).toBe(TICKS)
})

describe('the best peer', () => {
  const contender = (name: string, falseReverts: number, failedMedian: number, revertedPercent = 100): Contender => ({
    name,
    family: name,
    falseReverts,
    failedMedian,
    revertedPercent,
  })

  test.each<[string, readonly Contender[], string]>([
    [
      'the fewest failed requests among those with few false reverts',
      [contender('a', 0, 90), contender('b', 1, 60), contender('c', 2, 5)],
      'b',
    ],
    ['one that finds the fault before one that does not', [contender('a', 0, 40, 20), contender('b', 1, 60)], 'b'],
    ['where none finds it, the fewest to the end', [contender('a', 0, 500, 0), contender('b', 1, 600, 0)], 'a'],
    ['where all revert too often, the least bad', [contender('a', 200, 5), contender('b', 30, 60)], 'b'],
    ['never one that always came too early', [contender('a', 0, Number.NaN, 0), contender('b', 30, 60)], 'b'],
  ])('is %s', (_, all, want) => {
    expect(bestPeer(all).contender.name).toBe(want)
  })
})

test('the picture shows every setting that can be placed, and is well-formed', () => {
  const one = { name: 'a < b', family: 'f & g', falseReverts: 0, failedMedian: 15, revertedPercent: 100 }
  const svg = paretoPicture(
    [one],
    [
      { ...one, failedMedian: Number.NaN },
      { ...one, falseReverts: 1000 },
    ],
  )
  expect(svg.match(/<circle[^>]*><title>/g)).toHaveLength(2)
  expect(svg).toContain('a &lt; b')
  expect(svg).not.toMatch(/NaN|undefined|Infinity/)
})
