import { describe, expect, test } from 'vitest'
import { BOUNDS_SECONDS, slowShares, upperTail } from '../../bench/decisions/latency.ts'
import { binomial, bursts, poisson, type Random, seeded } from '../../bench/decisions/random.ts'
import { SCENARIOS, type Scenario } from '../../bench/decisions/scenarios.ts'
import { firstTickOf, observedShare, TICKS } from '../../bench/decisions/schedule.ts'
import { play, type World } from '../../bench/decisions/world.ts'
import { estimateDispersion } from '../../src/core/gates/dispersion.ts'

const DRAWS = 40_000

function moments(draw: (random: Random) => number) {
  const random = seeded(7)
  const values = Array.from({ length: DRAWS }, () => draw(random))
  const mean = values.reduce((sum, value) => sum + value, 0) / DRAWS
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / DRAWS
  return { mean, variance, phi: variance / mean }
}

describe('chance', () => {
  test.each([0.01, 0.3, 3, 45, 70, 6000])(
    'a Poisson count with the mean %d has it, and a variance as great',
    (mean) => {
      const seen = moments((random) => poisson(mean, random))
      expect(Math.abs(seen.mean - mean)).toBeLessThan(4 * Math.sqrt(mean / DRAWS))
      expect(seen.phi).toBeCloseTo(1, 1)
    },
  )

  test.each([
    [10, 0.2],
    [300, 0.01],
    [6000, 0.0228],
    [300, 0.9],
    [1, 0.5],
  ])('of %d each with the chance %d so many come', (n, p) => {
    const seen = moments((random) => binomial(n, p, random))
    expect(Math.abs(seen.mean - n * p)).toBeLessThan(4 * Math.sqrt((n * p) / DRAWS))
    expect(seen.variance / (n * p * (1 - p))).toBeCloseTo(1, 1)
  })

  test('bursts of five on average have nine times the variance of their mean', () => {
    const seen = moments((random) => bursts(3, 5, random))
    expect(seen.mean).toBeCloseTo(3, 0)
    expect(Math.abs(seen.phi - 9)).toBeLessThan(0.4)
  })

  test('none comes of none, all of a certainty', () => {
    const random = seeded(1)
    expect([poisson(0, random), binomial(0, 0.5, random), binomial(9, 0, random), binomial(9, 1, random)]).toEqual([
      0, 0, 0, 9,
    ])
  })

  test('seeds that differ by one begin differently', () => {
    const firsts = Array.from({ length: 1000 }, (_, seed) => seeded(seed)())
    const mean = firsts.reduce((sum, value) => sum + value, 0) / firsts.length
    expect(new Set(firsts).size).toBe(1000)
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.04)
  })
})

describe('latencies', () => {
  test('one of a hundred is slower than 300 ms, and than 600 ms when the tail doubles', () => {
    const slowerThan = (seconds: number, times: { p50: number; p99: number }) =>
      upperTail(Math.log(seconds / (0.08 * times.p50)) / (Math.log((0.3 * times.p99) / (0.08 * times.p50)) / 2.3263))
    expect(slowerThan(0.3, { p50: 1, p99: 1 })).toBeCloseTo(0.01, 4)
    expect(slowerThan(0.6, { p50: 1, p99: 2 })).toBeCloseTo(0.01, 4)
  })

  test('shares fall with the boundary', () => {
    const shares = slowShares({ p50: 1, p99: 1 })
    expect(shares).toEqual(shares.toSorted((a, b) => b - a))
    expect(shares).toHaveLength(10)
  })
})

describe('a rollout', () => {
  test('is made by its seed alone', () => {
    const told = (seed: number) => JSON.stringify([...play(scenario('late samples'), seed).new.total])
    expect(told(3)).toBe(told(3))
    expect(told(3)).not.toBe(told(4))
  })

  test.each([
    [0, 0.25],
    [1, 0.75],
    [2, 1],
    [19, 1],
    [20, 2],
    [21, 4],
    [22, 5],
    [139, 90],
  ])('in tick %d NEW gets %d %% of the requests', (tick, percent) => {
    expect(observedShare(tick) * 100).toBeCloseTo(percent, 10)
  })

  test('has the traffic and the failures of its scenario', () => {
    const sums = totals(play(scenario('healthy'), 1))
    expect(sums.requests / (TICKS * 6000)).toBeCloseTo(1, 2)
    expect((sums.bad / sums.requests) * 100).toBeCloseTo(0.05, 2)
  })

  test('tells a history from which the bursts can be estimated', () => {
    const phis = [1, 2, 3, 4, 5].map(
      (seed) => estimateDispersion(play(scenario('healthy bursty'), seed).history.bad)?.phi,
    )
    for (const phi of phis) expect(phi).toBeGreaterThan(6)
    for (const phi of phis) expect(phi).toBeLessThan(16)
  })

  test('fails on NEW alone from when it has the weight', () => {
    const world = play(scenario('errors 5 % at 50 %'), 1)
    expect(world.faultTick).toBe(firstTickOf(50))
    const share = (from: number, to: number) =>
      world.past.sums('new', from, to).bad / world.past.sums('new', from, to).total
    expect(share(firstTickOf(50), TICKS - 1)).toBeCloseTo(0.05, 2)
    expect(share(0, firstTickOf(50) - 1)).toBeLessThan(0.002)
    expect(world.past.sums('old', 0, TICKS - 1).bad / world.past.sums('old', 0, TICKS - 1).total).toBeLessThan(0.001)
    expect(world.drain(TICKS - 1)).toBeGreaterThan(0)
  })

  test('with a shared shock fails on both', () => {
    const { past } = play(scenario('shared shock'), 1)
    for (const side of ['old', 'new'] as const) {
      const { total, bad } = past.sums(side, 0, TICKS - 1)
      expect(bad / total).toBeGreaterThan(0.001)
    }
  })

  test('with late samples loses nothing but what is still to come', () => {
    const world = play(scenario('late samples'), 5)
    const seen = world.past.sums('new', 0, TICKS - 1)
    expect(seen).toMatchObject({ total: sum(world.trulyTotal), bad: sum(world.trulyBad) })
  })

  test('with counter resets loses some', () => {
    const world = play(scenario('counter reset'), 5)
    const seen = world.past.sums('new', 0, TICKS - 1)
    expect(seen.total).toBeLessThan(sum(world.trulyTotal))
    expect(seen.total).toBeGreaterThan(0.8 * sum(world.trulyTotal))
  })

  test('with a gap tells nothing for five minutes', () => {
    const { past } = play(scenario('metric gap'), 5)
    expect(past.gapTicks(0, TICKS - 1)).toBe(10)
  })

  test.each(SCENARIOS.map(({ name }) => name))('%s: no more bad or slow requests than requests', (name) => {
    const world = play(scenario(name), 11)
    for (const { total, bad, slower } of [world.old, world.new])
      for (let tick = 0; tick < TICKS; tick++) {
        const bounds = BOUNDS_SECONDS.map((_, bound) => slower[tick * BOUNDS_SECONDS.length + bound] ?? Number.NaN)
        const falling = [total[tick] ?? Number.NaN, ...bounds]
        expect(falling).toEqual(falling.toSorted((a, b) => b - a))
        expect(bad[tick]).toBeLessThanOrEqual(total[tick] ?? Number.NaN)
        expect(Math.min(...falling, bad[tick] ?? Number.NaN)).toBeGreaterThanOrEqual(0)
      }
  })
})

function scenario(name: string): Scenario {
  const found = SCENARIOS.find((one) => one.name === name)
  if (!found) throw new Error(`no scenario is called ${name}`)
  return found
}

function totals({ old, new: fresh }: World) {
  return { requests: sum(old.total) + sum(fresh.total), bad: sum(old.bad) + sum(fresh.bad) }
}

function sum(values: Float64Array): number {
  return values.reduce((total, value) => total + value, 0)
}
