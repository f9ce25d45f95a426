import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { alternatives, evidenceOf, type HarmRule, raise, type Stakes } from '../../../src/core/gates/harm-test.ts'
import { NO_PROOF, type Proof, proofOf, prove } from '../../../src/core/gates/proof-test.ts'
import { NO_RESTARTS, restart } from '../../../src/core/gates/restarts.ts'
import type { Counts } from '../../../src/core/observation.ts'
import type { Sides } from '../../../src/core/plan.ts'

const ALTERNATIVES = alternatives([2, 1 / 3], [4, 1 / 3], [8, 1 / 3])
/** Stakes are stored with six decimals; a few roundings may come together. */
const ROUNDING = 3e-6

const rule: fc.Arbitrary<HarmRule> = fc.record({
  ratio: fc.constantFrom(0, 1, 1.5, 3),
  margin: fc.double({ min: 0.0001, max: 0.05, noNaN: true }),
  alternatives: fc.constant(ALTERNATIVES),
})
const proofRule = fc.record({
  ratio: fc.double({ min: 1, max: 3, noNaN: true }),
  margin: fc.double({ min: 0.0001, max: 0.05, noNaN: true }),
})
const counts = (mostTotal: number): fc.Arbitrary<Counts> =>
  fc
    .tuple(fc.integer({ min: 1, max: mostTotal }), fc.double({ min: 0, max: 1, noNaN: true }))
    .map(([total, share]) => ({ total, bad: Math.round(total * share * share) }))
const sides = (mostTotal: number): fc.Arbitrary<Sides<Counts>> =>
  fc.record({ old: counts(mostTotal), new: counts(mostTotal) })
/** Far enough from both limits that a small tick does not meet them. */
const stakes: fc.Arbitrary<Stakes> = fc.array(fc.double({ min: -6, max: 6, noNaN: true }), {
  minLength: ALTERNATIVES.length,
  maxLength: ALTERNATIVES.length,
})
const proof: fc.Arbitrary<Proof> = fc.array(fc.double({ min: -6, max: 6, noNaN: true }), {
  minLength: NO_PROOF.length,
  maxLength: NO_PROOF.length,
})
const share = fc.double({ min: 0, max: 0.3, noNaN: true })

function scaled({ old, new: fresh }: Sides<Counts>, by: number): Sides<Counts> {
  const times = ({ total, bad }: Counts) => ({ total: total * by, bad: bad * by })
  return { old: times(old), new: times(fresh) }
}

function expectClose(a: readonly number[], b: readonly number[]): void {
  expect(a).toHaveLength(b.length)
  for (const [index, value] of a.entries()) expect(Math.abs(value - (b[index] ?? Number.NaN))).toBeLessThan(ROUNDING)
}

describe('restarts', () => {
  const stages = fc.array(
    fc.record({
      index: fc.nat({ max: 7 }),
      ticks: fc.integer({ min: 1, max: 80 }),
      planned: fc.integer({ min: 1, max: 30 }),
    }),
    { minLength: 1, maxLength: 30 },
  )

  test('give away at most all there is, in any order of stages, with any overtime', () => {
    fc.assert(
      fc.property(stages, (visits) => {
        let [restarts, sum] = [NO_RESTARTS, 0]
        for (const { index, ticks, planned } of visits) {
          for (let tick = 0; tick < ticks; tick++) {
            const next = restart(restarts, { index, count: 8, plannedTicks: planned })
            expect(next.share).toBeGreaterThanOrEqual(0)
            sum += next.share
            restarts = next.restarts
          }
        }
        expect(sum).toBeLessThanOrEqual(1 + 1e-9)
        expect(restarts.spent).toBeCloseTo(sum, 9)
        expect(restarts.spent).toBeLessThanOrEqual(1)
      }),
    )
  })

  test('as planned, they give all away but what is kept for overtime', () => {
    let restarts = NO_RESTARTS
    for (let index = 0; index < 8; index++)
      for (let tick = 0; tick < 20; tick++) restarts = restart(restarts, { index, count: 8, plannedTicks: 20 }).restarts
    expect(restarts.spent).toBeCloseTo(0.93, 9)
  })

  test('a first tick of a stage gets more than any other', () => {
    const first = restart(NO_RESTARTS, { index: 0, count: 8, plannedTicks: 20 })
    const second = restart(first.restarts, { index: 0, count: 8, plannedTicks: 20 })
    expect(first.share).toBeGreaterThan(5 * second.share)
    expect(second.share).toBeGreaterThan(0)
  })
})

describe('the evidence of harm', () => {
  test('stays as it is in a tick without requests on new: a restart only moves what was kept back', () => {
    fc.assert(
      fc.property(rule, stakes, share, counts(1000), (tested, before, part, old) => {
        const look = { counts: { old, new: { total: 0, bad: 0 } }, share: part, dispersion: 1 }
        const after = evidenceOf(raise(before, tested, look), tested, 0.3 + part)
        const was = evidenceOf(before, tested, 0.3)
        expect(Math.abs(after / was - 1)).toBeLessThan(1e-4)
      }),
    )
  })

  test('counts bursts of k events with φ = k as it counts single events', () => {
    fc.assert(
      fc.property(rule, stakes, sides(50), fc.integer({ min: 2, max: 20 }), (tested, before, tick, k) => {
        const single = raise(before, tested, { counts: tick, share: 0.01, dispersion: 1 })
        const bursts = raise(before, tested, { counts: scaled(tick, k), share: 0.01, dispersion: k })
        expectClose(bursts, single)
      }),
    )
  })

  test('never falls by a bad event on new, and never rises by one on old', () => {
    fc.assert(
      fc.property(rule, stakes, sides(1000), fc.integer({ min: 1, max: 50 }), (tested, before, tick, more) => {
        const evidence = (at: Sides<Counts>) =>
          evidenceOf(raise(before, tested, { counts: at, share: 0.01, dispersion: 1 }), tested, 0.01)
        const worse = { ...tick, new: { ...tick.new, bad: tick.new.bad + more } }
        const worseOld = { ...tick, old: { ...tick.old, bad: tick.old.bad + more } }
        expect(evidence(worse)).toBeGreaterThanOrEqual(evidence(tick))
        expect(evidence(worseOld)).toBeLessThanOrEqual(evidence(tick))
      }),
    )
  })

  test("does not depend on old's own rate: what one event on new speaks for, and one on old against it, cancel out", () => {
    const exact = fc.tuple(
      fc.constantFrom(1, 1.5, 3),
      fc.integer({ min: 1, max: 1000 }),
      fc.integer({ min: 0, max: 1000 }),
    )
    fc.assert(
      fc.property(exact, ([ratio, n1, n0]) => {
        const tested = { ratio, margin: 1e-9, alternatives: ALTERNATIVES }
        const raised = (e1: number, e0: number) => {
          const tick = { old: { total: n0, bad: e0 }, new: { total: n1, bad: e1 } }
          return raise(
            ALTERNATIVES.map(() => 0),
            tested,
            { counts: tick, share: 0, dispersion: 1 },
          )
        }
        const [none, onNew, onOld] = [raised(0, 0), raised(1, 0), raised(0, 1)]
        for (const index of ALTERNATIVES.keys()) {
          const at = (values: readonly number[]) => values[index] ?? Number.NaN
          const [s, u] = [at(onNew) - at(none), at(none) - at(onOld)]
          // The mean growth of the evidence at p1 = r·p0, per unit of p0.
          const growth = n1 * ratio * Math.expm1(s) + n0 * Math.expm1(-u)
          expect(Math.abs(growth)).toBeLessThan((n1 * ratio * Math.exp(s) + n0) * ROUNDING)
        }
      }),
    )
  })

  test('of a tick that is cut in two is that of the whole', () => {
    fc.assert(
      fc.property(rule, stakes, sides(30), sides(30), (tested, before, first, other) => {
        // The same split of traffic in both halves; the bad events fall as they like.
        const second = {
          old: { total: first.old.total, bad: Math.min(other.old.bad, first.old.total) },
          new: { total: first.new.total, bad: Math.min(other.new.bad, first.new.total) },
        }
        const look = (tick: Sides<Counts>) => ({ counts: tick, share: 0, dispersion: 8 })
        const whole = {
          old: { total: 2 * first.old.total, bad: first.old.bad + second.old.bad },
          new: { total: 2 * first.new.total, bad: first.new.bad + second.new.bad },
        }
        const halves = raise(raise(before, tested, look(first)), tested, look(second))
        expectClose(halves, raise(before, tested, look(whole)))
      }),
    )
  })

  test.each([
    ['a billion requests, all bad', 1e9, 1e9],
    ['a billion requests, none bad', 1e9, 0],
    ['no requests', 0, 0],
  ])('stays finite, and plain JSON, with %s on either side', (_, total, bad) => {
    for (const ratio of [0, 1, 1.5]) {
      const tested = { ratio, margin: 0.01, alternatives: ALTERNATIVES }
      for (const other of [
        { total: 0, bad: 0 },
        { total: 1, bad: 1 },
        { total: 1e9, bad: 0 },
        { total: 1e9, bad: 1e9 },
      ]) {
        for (const tick of [
          { old: other, new: { total, bad } },
          { old: { total, bad }, new: other },
        ]) {
          let after: Stakes = []
          for (let n = 0; n < 5; n++) after = raise(after, tested, { counts: tick, share: 0.1, dispersion: 1 })
          const proven = prove(prove(NO_PROOF, tested, tick, 1), tested, tick, 1)
          for (const value of [...after, ...proven, evidenceOf(after, tested, 0.5), proofOf(proven)])
            expect(value).toSatisfy(Number.isFinite)
          expect(JSON.parse(JSON.stringify(after))).toEqual(after)
          expect(JSON.parse(JSON.stringify(proven))).toEqual(proven)
        }
      }
    }
  })
})

describe('the proof that new is good enough', () => {
  test('never rises by a bad event on new, and never falls by one on old', () => {
    fc.assert(
      fc.property(proofRule, proof, sides(1000), fc.integer({ min: 1, max: 50 }), (tested, before, tick, more) => {
        const strength = (at: Sides<Counts>) => proofOf(prove(before, tested, at, 1))
        const worse = { ...tick, new: { ...tick.new, bad: tick.new.bad + more } }
        const worseOld = { ...tick, old: { ...tick.old, bad: tick.old.bad + more } }
        expect(strength(worse)).toBeLessThanOrEqual(strength(tick))
        expect(strength(worseOld)).toBeGreaterThanOrEqual(strength(tick))
      }),
    )
  })

  test('counts bursts of k events with φ = k as it counts single events', () => {
    fc.assert(
      fc.property(proofRule, proof, sides(50), fc.integer({ min: 2, max: 20 }), (tested, before, tick, k) => {
        expectClose(prove(before, tested, scaled(tick, k), k), prove(before, tested, tick, 1))
      }),
    )
  })

  test('says nothing without requests', () => {
    const nothing = { old: { total: 0, bad: 0 }, new: { total: 0, bad: 0 } }
    expect(prove([1, 2, 3, 4, 5], { ratio: 1.5, margin: 0.01 }, nothing, 1)).toEqual([1, 2, 3, 4, 5])
    expect(proofOf(NO_PROOF)).toBe(1)
  })
})
