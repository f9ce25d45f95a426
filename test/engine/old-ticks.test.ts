import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { estimateDispersion } from '../../src/core/gates/dispersion.ts'
import { type Counts, missing } from '../../src/core/observation.ts'
import { hasOwnTicks, KEPT_TICKS, OldTicks } from '../../src/engine/old-ticks.ts'
import { groupKey, type SliVector } from '../../src/ports/source.ts'

const TICK_MS = 10_000
const START_MS = Date.UTC(2026, 0, 5)
const OLD = groupKey('blue', 'checkout')
const NEW = groupKey('green', 'checkout')

interface Part extends Counts {
  /** Sweeps: more than one after failed ones. */
  readonly length: number
}

const part = fc.record({
  // Now and then more than a narrow place holds, and no whole number, as a source extrapolates.
  total: fc.oneof(
    { weight: 19, arbitrary: fc.integer({ min: 0, max: 5000 }) },
    { weight: 1, arbitrary: fc.constantFrom(65_535, 65_536, 1_000_000, 1234.5) },
  ),
  bad: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.nat(40)),
  length: fc.oneof({ weight: 9, arbitrary: fc.constant(1) }, fc.integer({ min: 2, max: 5 })),
})
const parts = fc.array(part, { maxLength: 600, size: 'max' })

/** Ticks that follow each other from `fromMs` on; NEW counts something else. */
function vectorsOf(all: readonly Part[], fromMs: number): SliVector[] {
  let sinceMs = fromMs
  return all.map(({ total, bad, length }): SliVector => {
    const tick = { sinceMs, atMs: sinceMs + length * TICK_MS }
    sinceMs = tick.atMs
    const counts = { kind: 'counts', total, bad, latencies: null } as const
    return {
      kind: 'vector',
      ...tick,
      groups: new Map([
        [OLD, counts],
        [NEW, { ...counts, bad: 7 }],
      ]),
    }
  })
}

function kept(): OldTicks {
  const ticks = new OldTicks(TICK_MS)
  ticks.keep(new Set(['blue']))
  return ticks
}

describe('the ticks of OLD', () => {
  test('give the φ of the newest ones that are as long as a sweep, in whatever order past and present come', () => {
    fc.assert(
      fc.property(parts, parts, fc.nat(600), (before, after, cut) => {
        const all = vectorsOf([...before, ...after], START_MS)
        const [past, present] = [all.slice(0, before.length), all.slice(before.length)]
        const ticks = kept()
        for (const vector of present.slice(0, cut)) ticks.add(vector)
        ticks.prepend(past)
        for (const vector of present.slice(cut)) ticks.add(vector)
        const model = [...before, ...after].filter(({ length }) => length === 1).slice(-KEPT_TICKS)
        expect(ticks.dispersion(OLD)).toEqual(estimateDispersion(model))
        expect(ticks.dispersion(NEW)).toBeNull()
      }),
      { numRuns: 60 },
    )
  })

  test('take nothing twice from a past that reaches into what they have', () => {
    const all = vectorsOf(bursts(200), START_MS)
    const ticks = kept()
    for (const vector of all.slice(100)) ticks.add(vector)
    ticks.prepend(all)
    expect(ticks.dispersion(OLD)).toEqual(estimateDispersion(bursts(200)))
  })

  test('pass over what could not be read', () => {
    const ticks = kept()
    for (const vector of vectorsOf(bursts(100), START_MS)) {
      ticks.add(missing('timeout', 'late'))
      ticks.add(vector)
    }
    expect(ticks.dispersion(OLD)).toEqual(estimateDispersion(bursts(100)))
  })

  test('give an estimate that stays for thirty ticks', () => {
    const ticks = kept()
    const all = vectorsOf([...bursts(100), ...bursts(60).map((tick) => ({ ...tick, bad: 5 * tick.bad }))], START_MS)
    for (const vector of all.slice(0, 100)) ticks.add(vector)
    const first = ticks.dispersion(OLD)
    for (const vector of all.slice(100, 129)) ticks.add(vector)
    expect(ticks.dispersion(OLD)).toBe(first)
    for (const vector of all.slice(129, 130)) ticks.add(vector)
    expect(ticks.dispersion(OLD)?.phi).toBeGreaterThan(first?.phi ?? Number.POSITIVE_INFINITY)
  })

  test('are forgotten with a cluster that no plan moves from any more', () => {
    const ticks = kept()
    for (const vector of vectorsOf(bursts(100), START_MS)) ticks.add(vector)
    ticks.keep(new Set(['green']))
    expect(ticks.dispersion(OLD)).toBeNull()
  })

  test('of a cluster that comes anew are none of those that another one had', () => {
    const ticks = kept()
    for (const vector of vectorsOf(bursts(100), START_MS)) ticks.add(vector)
    ticks.keep(new Set(['green']))
    const quiet = bursts(100).map((tick) => ({ ...tick, total: 50 }))
    for (const vector of vectorsOf(quiet, START_MS + 100 * TICK_MS)) ticks.add(vector)
    expect(ticks.dispersion(NEW)).toEqual(estimateDispersion(quiet.map((tick) => ({ ...tick, bad: 7 }))))
  })
})

test.each([
  [{ kind: 'selector', total: 'a', bad: 'b' }, true],
  [{ kind: 'histogram', metric: 'a', slowerThanSeconds: 1 }, true],
  [{ kind: 'nativeHistogram', metric: 'a', slowerThanSeconds: 1 }, true],
  [{ kind: 'ask', total: 'a', bad: 'b', windowSeconds: null }, true],
  [{ kind: 'ask', total: 'a', bad: 'b', windowSeconds: 10 }, true],
  [{ kind: 'ask', total: 'a', bad: 'b', windowSeconds: 60 }, false],
  [{ kind: 'askValue', value: 'a', windowSeconds: 10 }, false],
  [{ kind: 'query', total: 'a', bad: 'b', windowSeconds: 10 }, true],
  [{ kind: 'query', total: 'a', bad: 'b', windowSeconds: 60 }, false],
  [{ kind: 'value', value: 'a', windowSeconds: 10 }, false],
] as const)('with sweeps of ten seconds, ticks of %j count by themselves: %s', (measure, expected) => {
  expect(hasOwnTicks(measure, 10)).toBe(expected)
})

/** Ten bad events in every tenth tick. */
function bursts(count: number): Part[] {
  return Array.from({ length: count }, (_, index) => ({ total: 1000, bad: index % 10 === 0 ? 10 : 0, length: 1 }))
}
