import { describe, expect, test } from 'vitest'
import { estimateDispersion, phiOf } from '../../../src/core/gates/dispersion.ts'
import { type Chance, chanceOf, poissonOf } from '../../support/chance.ts'

const HISTORIES = 300
const TICKS = 360
const REQUESTS = 20_000

/** How φ comes out over many seeded histories. */
function estimates(draw: (chance: Chance, tick: number) => number): readonly number[] {
  return Array.from({ length: HISTORIES }, (_, seed) => {
    const chance = chanceOf(seed)
    const ticks = Array.from({ length: TICKS }, (__, tick) => ({ total: REQUESTS, bad: draw(chance, tick) }))
    return estimateDispersion(ticks)?.phi ?? Number.NaN
  })
}

function shareOf(values: readonly number[], holds: (value: number) => boolean): number {
  return values.filter(holds).length / values.length
}

describe('φ from a history', () => {
  test.each([0.2, 1, 20, 500])('is 1 where bad events come one by one, %f a tick', (mean) => {
    const poisson = poissonOf(mean)
    expect(shareOf(estimates(poisson), (phi) => phi === 1)).toBeGreaterThanOrEqual(0.97)
  })

  test.each([1, 4, 20])('is near 9 where they come in bursts of 5 on average, %f bursts a tick', (rate) => {
    const bursts = poissonOf(rate)
    const burst = (chance: Chance) => 1 + Math.floor(Math.log(1 - chance()) / Math.log(1 - 1 / 5))
    const phis = estimates((chance) => {
      let bad = 0
      for (let left = bursts(chance); left > 0; left--) bad += burst(chance)
      return bad
    })
    // Variance over mean of a geometric burst's sum: E[B²]/E[B] = 2·5 − 1.
    expect(shareOf(phis, (phi) => phi >= 7 && phi <= 14)).toBeGreaterThanOrEqual(0.9)
  })

  test('is no burst where the rate only drifts over the hours', () => {
    const byBlock = [10, 14, 20, 28].map(poissonOf)
    const drift = estimates((chance, tick) => byBlock[Math.floor(tick / 90)]?.(chance) ?? Number.NaN)
    expect(shareOf(drift, (phi) => phi === 1)).toBeGreaterThanOrEqual(0.97)
  })

  test.each([
    ['no tick at all', []],
    ['ticks without requests', Array.from({ length: 100 }, () => ({ total: 0, bad: 0 }))],
    ['29 bad events', Array.from({ length: 29 }, () => ({ total: 10, bad: 1 }))],
    ['one tick, however bad', [{ total: 1000, bad: 500 }]],
  ])('is unknown with %s', (_, ticks) => {
    expect(estimateDispersion(ticks)).toBeNull()
  })

  test.each([
    ['unknown: what the policy assumes', null, 3],
    ['known: what was estimated', { phi: 7, ticks: 360, bad: 900 }, 7],
    ['beyond belief: the most that is believed', { phi: 400, ticks: 360, bad: 900 }, 50],
  ])('%s', (_, dispersion, phi) => {
    expect(phiOf(dispersion, { assumed: 3, max: 50 })).toBe(phi)
  })
})
