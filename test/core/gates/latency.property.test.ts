import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { judgeLatency, quantile, weighLatency } from '../../../src/core/gates/latency.ts'
import type { LatencyState } from '../../../src/core/state.ts'
import { latencyGate } from '../../scenarios/plans.ts'

const gate = latencyGate({ slow: 'revert' })
const BOUNDS_SECONDS = [0.05, 0.1, 0.25, 0.5, 1]
const STAGE = { count: 3, plannedTicks: 10 }

/** How many of the samples are slower than each boundary. */
function slowerOf(samples: readonly number[], bounds: readonly number[]): readonly number[] {
  return bounds.map((bound) => samples.filter((sample) => sample > bound).length)
}

interface Ticks {
  readonly ticks: number
  readonly index?: number
  readonly bounds?: readonly number[]
  readonly old: readonly number[]
  readonly new: readonly number[]
}

function weigh(before: LatencyState | null, given: Ticks): LatencyState | null {
  const { ticks, index = 0, bounds = BOUNDS_SECONDS, old, new: fresh } = given
  let state = before
  for (let tick = 0; tick < ticks; tick++) {
    state = weighLatency(gate, state, {
      atMs: (state?.untilMs ?? 0) + 1,
      counts: { old: { total: old.length, bad: 0 }, new: { total: fresh.length, bad: 0 } },
      stage: { ...STAGE, index },
      phi: 1,
      latencies: { boundsSeconds: bounds, slower: { old: slowerOf(old, bounds), new: slowerOf(fresh, bounds) } },
    })
  }
  return state
}

function outcomeOf(state: LatencyState | null): string {
  return state ? judgeLatency(gate, state).outcome : 'none'
}

const spread = Array.from({ length: 500 }, (_, n) => 0.08 * -Math.log(1 - (n + 0.5) / 500))
const slow = spread.map((seconds) => seconds * 2)

describe('quantiles from buckets', () => {
  test('lie in the bucket of the sample that a sort would give', () => {
    const sample = fc.double({ min: 0, max: 1.5, noNaN: true })
    // Shares that a binary fraction holds exactly: else either neighbour of an edge would be right.
    const wanted = fc.constantFrom(0.5, 0.75, 0.875, 0.9375)
    fc.assert(
      fc.property(fc.array(sample, { minLength: 1, maxLength: 200 }), wanted, (samples, q) => {
        const counts = { total: samples.length, slower: slowerOf(samples, BOUNDS_SECONDS) }
        const sorted = samples.toSorted((a, b) => a - b)
        const exact = sorted[Math.ceil(q * samples.length) - 1] ?? Number.NaN
        const index = BOUNDS_SECONDS.findIndex((bound) => exact <= bound)
        const got = quantile(BOUNDS_SECONDS, counts, q)
        if (index < 0) {
          expect(got).toBeNull()
          return
        }
        expect(got).toBeGreaterThanOrEqual((BOUNDS_SECONDS[index - 1] ?? 0) - 1e-12)
        expect(got).toBeLessThanOrEqual((BOUNDS_SECONDS[index] ?? 0) + 1e-12)
      }),
    )
  })

  test('are unknown without events', () => {
    expect(quantile(BOUNDS_SECONDS, { total: 0, slower: [0, 0, 0, 0, 0] }, 0.95)).toBeNull()
  })
})

describe('the test of latencies', () => {
  test('finds a new that takes twice as long, and not one that takes as long', () => {
    const before = weigh(null, { ticks: 10, old: spread, new: spread })
    expect(outcomeOf(before)).toBe('pass')
    expect(outcomeOf(weigh(before, { ticks: 5, index: 1, old: spread, new: slow }))).toBe('revert')
    expect(outcomeOf(weigh(before, { ticks: 30, index: 1, old: slow, new: slow }))).toBe('pass')
    expect(outcomeOf(weigh(before, { ticks: 30, index: 1, old: slow, new: spread }))).toBe('pass')
  })

  test('begins anew in other buckets, with no more in hand than was left', () => {
    const before = weigh(null, { ticks: 15, old: spread, new: slow })
    expect(outcomeOf(before)).toBe('revert')
    const others = [0.06, 0.12, 0.3]
    const after = weigh(before, { ticks: 1, bounds: others, old: spread, new: slow })
    if (!before || !after) return expect.fail('nothing was weighed')
    expect(outcomeOf(after)).toBe('pass')
    expect(after.boundsSeconds).toEqual(others)
    expect(after.seen.new.total).toBe(500)
    expect(after.restarts.spent).toBeGreaterThan(before.restarts.spent)
    const left = 1 - before.restarts.spent
    expect(judgeLatency(gate, after).evidence['haltEvidence']).toBeLessThanOrEqual(left + 1e-6)
    expect(outcomeOf(weigh(after, { ticks: 8, bounds: others, old: spread, new: slow }))).toBe('revert')
  })

  test('looks at no boundary before old has shown its tail there, and keeps what is staked on it', () => {
    const first = weigh(null, { ticks: 1, old: spread, new: slow })
    expect(first?.stakes).toEqual([[], [], [], [], []])
    expect(first && judgeLatency(gate, first).evidence['haltEvidence']).toBe(1)
    const second = weigh(first, { ticks: 1, old: spread, new: slow })
    // Beyond 0.05 s old has half of its requests, beyond 1 s none.
    expect(second?.stakes.map(({ length }) => length)).toEqual([3, 3, 3, 3, 0])
  })

  test('survives JSON at every tick', () => {
    const ticks = fc.array(fc.constantFrom(spread, slow), { minLength: 1, maxLength: 15 })
    fc.assert(
      fc.property(ticks, ticks, (old, fresh) => {
        let [kept, restored] = [null as LatencyState | null, null as LatencyState | null]
        for (const [index, one] of old.entries()) {
          const given = { ticks: 1, index: Math.min(2, index >> 2), old: one, new: fresh[index] ?? one }
          kept = weigh(kept, given)
          restored = JSON.parse(JSON.stringify(weigh(restored, given))) as LatencyState
        }
        expect(restored).toEqual(kept)
      }),
      { numRuns: 30 },
    )
  })
})
