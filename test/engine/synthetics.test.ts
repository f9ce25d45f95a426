import { describe, expect, test } from 'vitest'
import { missing } from '../../src/core/observation.ts'
import type { Plan } from '../../src/core/plan.ts'
import type { SyntheticTest } from '../../src/core/synthetic.ts'
import { readRound } from '../../src/engine/synthetics.ts'
import type { SyntheticReader, SyntheticResult } from '../../src/ports/source.ts'
import { createFakeClock } from '../../src/simulate/clock.ts'
import { createRig, planFor, START_MS, SWEEP_SECONDS, sweep, World } from './rig.ts'

const OLD: SyntheticTest = { id: 'of-old', location: null }
const NEW: SyntheticTest = { id: 'of-new', location: null }

/** A rollout whose probe gate goes by the results of a test that runs elsewhere. */
function plan(): Plan {
  const made = planFor('checkout', { probe: 'yes', steps: '10/60,50/60,100/60' })
  return { ...made, probes: [], synthetics: [{ name: 'health', source: 'elsewhere', test: { old: OLD, new: NEW } }] }
}

/** Runs end each minute, and say what `kindAt` does. */
function runsEachMinute(world: World, kindAt: (endedAtMs: number) => 'passed' | 'failed' | null): SyntheticReader {
  return {
    read: async ({ id }) => {
      const endedAtMs = Math.floor(world.clock.nowMs() / 60_000) * 60_000
      const kind = id === NEW.id ? kindAt(endedAtMs) : 'passed'
      if (kind === null) return missing('stale', 'the newest result is too old')
      return { kind: 'result', endedAtMs, outcome: { kind, seconds: 0.1, why: 'status 500' } }
    },
    close: async () => {},
  }
}

describe('results of tests that run elsewhere', () => {
  test('a run counts once however often it is read, and three that pass let the weight rise', async () => {
    const world = new World(['checkout'])
    world.synthetics.set(
      'elsewhere',
      runsEachMinute(world, () => 'passed'),
    )
    const rig = createRig(world)
    await rig.start([plan()])
    await sweep(world, 120 / SWEEP_SECONDS)
    expect(world.weightOf('checkout')).toBe(10)
    await sweep(world, 1800 / SWEEP_SECONDS)
    expect(world.weightOf('checkout')).toBe(100)
    const raised = (await world.eventsOf('weight-intended')).map(({ atMs }) => atMs)
    // Three runs that ended at this weight, a minute from each other.
    expect((raised[1] ?? 0) - (raised[0] ?? 0)).toBeGreaterThanOrEqual(120_000)
    await rig.stop()
  })

  test('three runs that failed revert, and not one run that is read three times', async () => {
    const world = new World(['checkout'])
    const failsFromMs = START_MS + 240_000
    world.synthetics.set(
      'elsewhere',
      runsEachMinute(world, (endedAtMs) => (endedAtMs >= failsFromMs ? 'failed' : 'passed')),
    )
    const rig = createRig(world)
    await rig.start([plan()])
    await sweep(world, (240 + 100) / SWEEP_SECONDS)
    expect(await world.eventsOf('revert-started')).toEqual([])
    await sweep(world, 120 / SWEEP_SECONDS)
    expect(world.weightOf('checkout')).toBe(0)
    await rig.stop()
  })

  test('without a result nothing rises', async () => {
    const world = new World(['checkout'])
    world.synthetics.set(
      'elsewhere',
      runsEachMinute(world, () => null),
    )
    const rig = createRig(world)
    await rig.start([plan()])
    await sweep(world, 600 / SWEEP_SECONDS)
    expect(world.weightOf('checkout')).toBe(0)
    await rig.stop()
  })
})

describe('a round of both sides', () => {
  const result = (endedAtMs: number): SyntheticResult => ({
    kind: 'result',
    endedAtMs,
    outcome: { kind: 'passed', seconds: 1 },
  })
  const gap = missing('stale', 'too old')
  const spec = { name: 'journey', source: 'elsewhere', test: { old: OLD, new: NEW } }
  const readerOf = (old: SyntheticResult | typeof gap, fresh: SyntheticResult | typeof gap): SyntheticReader => ({
    read: async ({ id }) => (id === OLD.id ? old : fresh),
    close: async () => {},
  })
  const signal = () => AbortSignal.timeout(120_000)
  const clock = createFakeClock(9_000)

  test.each([
    ['is of the time of NEW’s run', result(2_000), result(5_000), 5_000, 'passed'],
    ['is of now where NEW is missing', result(2_000), gap, 9_000, 'missing'],
    ['is of NEW’s run where OLD is missing', gap, result(5_000), 5_000, 'passed'],
  ] as const)('%s', async (_, old, fresh, atMs, kind) => {
    const readers = new Map([['elsewhere', readerOf(old, fresh)]])
    expect(await readRound(spec, readers, clock, signal())).toMatchObject({ atMs, outcome: { new: { kind } } })
  })

  test('of OLD alone is of the time of its run, and asks nothing of NEW', async () => {
    const readers = new Map([['elsewhere', readerOf(result(2_000), gap)]])
    const ofOld = { ...spec, test: { old: OLD, new: null } }
    expect(await readRound(ofOld, readers, clock, signal())).toEqual({
      atMs: 2_000,
      outcome: { old: { kind: 'passed', seconds: 1 }, new: null },
    })
  })

  test('of a source that went, or when the sweep is over, is missing', async () => {
    expect(await readRound(spec, new Map(), clock, signal())).toMatchObject({ outcome: { new: { why: 'refused' } } })
    const never: SyntheticReader = { read: () => new Promise(() => {}), close: async () => {} }
    const readers = new Map([['elsewhere', never]])
    const round = await readRound(spec, readers, clock, AbortSignal.timeout(10))
    expect(round).toMatchObject({ outcome: { old: { why: 'timeout' }, new: { why: 'timeout' } } })
  })
})
