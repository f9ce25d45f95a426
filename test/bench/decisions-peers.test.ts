import { describe, expect, test } from 'vitest'
import type { Peer, Say } from '../../bench/decisions/decider.ts'
import { BOUNDS_SECONDS, SLOW_INDEX } from '../../bench/decisions/latency.ts'
import { Past } from '../../bench/decisions/past.ts'
import { PEERS } from '../../bench/decisions/peers/all.ts'
import { argo } from '../../bench/decisions/peers/argo.ts'
import { shortBurn, workbook } from '../../bench/decisions/peers/burn.ts'
import { flagger } from '../../bench/decisions/peers/flagger.ts'
import { hodgesLehmann, kayenta, leastZ, quantileOf, zOfShift } from '../../bench/decisions/peers/kayenta.ts'
import { zOf, zTest } from '../../bench/decisions/peers/z-test.ts'

/** Requests, failed and slow ones of a tick; null: the source says nothing. */
type Tick = readonly [total: number, bad: number, slow?: number] | null

const GOOD: Tick = [1000, 0]
const OLD_GOOD: Tick = [10_000, 5]

/** What the peer says after each tick; OLD is good unless told. */
function say(peer: Peer, fresh: readonly Tick[], old: readonly Tick[] = fresh.map((tick) => tick && OLD_GOOD)) {
  const cluster = (ticks: readonly Tick[]) => {
    const slower = new Float64Array(ticks.length * BOUNDS_SECONDS.length)
    for (const [index, tick] of ticks.entries()) slower[index * BOUNDS_SECONDS.length + SLOW_INDEX] = tick?.[2] ?? 0
    return {
      total: Float64Array.from(ticks, (tick) => tick?.[0] ?? 0),
      bad: Float64Array.from(ticks, (tick) => tick?.[1] ?? 0),
      slower,
    }
  }
  const gaps = Uint8Array.from(fresh, (tick) => (tick === null ? 1 : 0))
  const past = new Past(cluster(old), cluster(fresh), gaps, fresh.length)
  const look = peer.begin()
  return fresh.map((_, tick) => look(past, tick))
}

function times<T>(count: number, value: T): T[] {
  return Array.from({ length: count }, () => value)
}

/** The last tick's word. */
function finally_(says: readonly Say[]): Say | undefined {
  return says.at(-1)
}

describe('Flagger', () => {
  const peer = flagger({ leastSuccessPercent: 99, threshold: 3 })
  const bad: Tick = [1000, 11]

  test.each<[string, readonly Tick[], Say]>([
    ['good checks never count', times(40, GOOD), 'on'],
    ['exactly 99 % is no failed check', times(40, [1000, 10]), 'on'],
    ['two failed checks of three are not enough', times(4, bad), 'on'],
    ['the third one rolls back', times(6, bad), 'revert'],
    [
      'failed checks add up over good ones between',
      [bad, bad, ...times(20, GOOD), bad, bad, GOOD, GOOD, bad, bad],
      'revert',
    ],
    ['a check looks at a whole minute', [[1000, 20], GOOD, [1000, 20], GOOD, [1000, 20], GOOD], 'on'],
    ['no data is a failed check', times(6, null), 'revert'],
    ['no requests are no values, and a failed check', times(6, [0, 0]), 'revert'],
    ['a 99th percentile above 500 ms is a failed check', times(6, [1000, 0, 11]), 'revert'],
  ])('%s', (_, ticks, want) => {
    expect(finally_(say(peer, ticks))).toBe(want)
  })
})

describe('Argo Rollouts', () => {
  const peer = argo({ leastSuccessPercent: 95, failureLimit: 1, intervalTicks: 2 })
  const bad: Tick = [100, 6]

  test.each<[string, readonly Tick[], Say]>([
    ['a success is at least 95 %', times(40, [100, 5]), 'on'],
    ['as many failures as the limit do not fail the run', [bad, bad, ...times(20, GOOD)], 'on'],
    ['one more does, in a row or not', [bad, bad, ...times(20, GOOD), bad, bad], 'revert'],
    ['the NaN of no requests is inconclusive: paused', times(2, [0, 0]), 'halt'],
    ['four errors in a row are allowed', [...times(8, null), GOOD, GOOD, ...times(8, null)], 'on'],
    ['the fifth aborts', times(10, null), 'revert'],
    ['each metric has failures of its own', [bad, bad, [100, 0, 2], [100, 0, 2]], 'on'],
  ])('%s', (_, ticks, want) => {
    expect(finally_(say(peer, ticks))).toBe(want)
  })
})

describe('Kayenta', () => {
  const peer = kayenta({ confidencePercent: 98, series: 'cumulative', intervalTicks: 10 }, () => 0, 20)
  const noisy = (base: number): Tick[] => Array.from({ length: 20 }, (_, tick) => [1000, base + ((tick * 7) % 5)])

  test.each<[string, readonly Tick[], readonly Tick[], Say]>([
    ['equal series pass', noisy(5), noisy(5), 'on'],
    ['a clear shift is High, and one of two metrics is below marginal', noisy(20), noisy(5), 'revert'],
    ['a fall is no harm', noisy(5), noisy(20), 'on'],
    ['a metric without data is not counted', times(20, null), times(20, null), 'on'],
    ['nothing is judged before the interval is over', noisy(20).slice(0, 9), noisy(5).slice(0, 9), 'on'],
  ])('%s', (_, fresh, old, want) => {
    expect(finally_(say(peer, fresh, old))).toBe(want)
  })

  test('the look-back sees the last ten ticks alone', () => {
    const lookBack = kayenta({ confidencePercent: 98, series: 'look-back', intervalTicks: 20 }, () => 0, 20)
    const [worse, usual] = [noisy(20), noisy(5)]
    expect(finally_(say(lookBack, [...worse.slice(0, 10), ...usual.slice(10)], usual))).toBe('on')
    expect(finally_(say(lookBack, [...usual.slice(0, 10), ...worse.slice(10)], usual))).toBe('revert')
  })

  // By hand: 9 of 12 pairs are won, 6 are expected with a variance of 4·3·8/12, and the continuity correction takes 0.5.
  test('the rank-sum test has the corrections for ties and continuity', () => {
    const z = zOfShift([1.1, 2.2, 3.3, 4.4], [0.5, 1.5, 2.5], 0)
    expect(z).toBeCloseTo((9 - 6 - 0.5) / Math.sqrt((12 / 12) * 8), 10)
    expect(zOfShift([1, 1], [1, 1], 0)).toBe(0)
  })

  test('the Hodges-Lehmann estimate is the median difference', () => {
    expect(hodgesLehmann([3, 5], [1])).toBe(3)
    expect(hodgesLehmann([1, 2, 6], [0])).toBe(2)
  })

  test.each([
    [0.95, 1.6449],
    [0.99, 2.3263],
    [0.99995, 3.8906],
  ])('the normal quantile of %d is %d', (p, z) => {
    expect(quantileOf(p)).toBeCloseTo(z, 2)
  })

  test('a series against nothing cannot be judged', () => {
    expect(leastZ([], [1])).toBe(Number.NEGATIVE_INFINITY)
  })
})

describe('burn rates', () => {
  test.each<[string, readonly Tick[], Say]>([
    ['the budget itself is no burn', times(140, [1000, 1]), 'on'],
    ['14.4 times over both windows pages', times(10, [1000, 15]), 'revert'],
    ['6 times pages as well, at its windows', times(60, [1000, 7]), 'revert'],
    ['twice the budget is a ticket', times(140, [1000, 2]), 'halt'],
    ['what is over does not page', [...times(60, [1000, 15] as const), ...times(60, GOOD)].slice(0, 120), 'halt'],
    ['slow requests have a budget of their own', times(10, [1000, 0, 150]), 'revert'],
  ])('of the workbook: %s', (_, ticks, want) => {
    expect(finally_(say(workbook(1), ticks))).toBe(want)
  })

  test.each<[string, readonly Tick[], Say]>([
    ['one failure of few requests is guarded', times(10, [14, 1]), 'on'],
    ['enough requests are not', times(10, [150, 3]), 'revert'],
    ['the longer pair fires at six times', times(10, [1000, 7]), 'revert'],
    ['nothing at five times', times(60, [1000, 5]), 'on'],
  ])('shortened, with a guard: %s', (_, ticks, want) => {
    expect(finally_(say(shortBurn({ factors: 1, guards: 1, second: 'revert' }), ticks))).toBe(want)
  })

  test('the longer pair halts where it is told to', () => {
    expect(finally_(say(shortBurn({ factors: 1, guards: 1, second: 'halt' }), times(10, [1000, 7])))).toBe('halt')
  })
})

describe('the z-test', () => {
  const peer = zTest({ z: 2.33, leastBad: 0 }, (tick) => Math.floor(tick / 20), 20)

  test.each<[string, readonly Tick[], Say]>([
    ['as good as OLD', times(5, [10_000, 5]), 'on'],
    ['ten times worse', times(5, [1000, 5]), 'revert'],
    ['slower', times(5, [1000, 0, 5]), 'revert'],
  ])('%s', (_, ticks, want) => {
    expect(finally_(say(peer, ticks))).toBe(want)
  })

  test('begins anew with each step', () => {
    const ticks = [...times(19, [1000, 0] as const), [1000, 40] as const, ...times(5, [1000, 0] as const)]
    expect(say(peer, ticks).slice(19)).toEqual(['revert', 'on', 'on', 'on', 'on', 'on'])
  })

  test('wants as many bad events as it is told', () => {
    const strict = zTest({ z: 2.33, leastBad: 5 }, () => 0, 20)
    expect(say(strict, times(5, [100, 1]))).toEqual(['on', 'on', 'on', 'on', 'revert'])
  })

  // NIST's formula by hand: p = 15/1100, z = (0.1 − 0.005)/sqrt(p(1−p)(1/100 + 1/1000)).
  test('is the pooled test of two proportions', () => {
    expect(zOf({ total: 100, bad: 10 }, { total: 1000, bad: 5 })).toBeCloseTo(7.81, 1)
    expect(zOf({ total: 0, bad: 0 }, { total: 1000, bad: 5 })).toBe(0)
    expect(zOf({ total: 10, bad: 0 }, { total: 10, bad: 0 })).toBe(0)
  })
})

test('every family is there once as its documentation has it, and no setting twice', () => {
  const defaults = PEERS.filter(({ isDefault }) => isDefault).map(({ family }) => family)
  const families = [...new Set(PEERS.map(({ family }) => family))]
  expect(families.filter((family) => !defaults.includes(family))).toEqual(['5m/1m + 30m/5m with its guard turned too'])
  expect(new Set(defaults).size).toBe(defaults.length)
  expect(new Set(PEERS.map(({ family, setting }) => `${family} ${setting}`)).size).toBe(PEERS.length)
})
