import { describe, expect, test } from 'vitest'
import { missing } from '../../src/core/observation.ts'
import { SliWatch } from '../../src/engine/sli-watch.ts'
import { createTimer } from '../../src/engine/timer.ts'
import type { Measure } from '../../src/ports/source.ts'
import { NO_TRACER } from '../../src/ports/tracer.ts'
import { createFakeClock } from '../../src/simulate/clock.ts'
import { createFakeLog, createFakeMeter } from '../../src/simulate/runtime.ts'
import { planOf } from '../scenarios/world.ts'
import { type MeasureOf, START_MS, SteadySource, SWEEP_SECONDS } from './steady-source.ts'

/** The reading after so many sweeps of a source that counts like this. */
async function readingAfter(sweeps: number, measureOf: MeasureOf, hasMemory: boolean) {
  const source = new SteadySource()
  source.measureOf = measureOf
  source.hasMemory = hasMemory
  const plan = planOf({})
  const [spec] = plan.slis
  const deps = {
    log: createFakeLog(),
    meter: createFakeMeter(),
    timer: createTimer(createFakeClock(START_MS)),
    tracer: NO_TRACER,
  }
  const watch = new SliWatch(new Map([['fake', source]]), SWEEP_SECONDS, deps)
  watch.watch([plan])
  for (let sweep = 1; sweep <= sweeps; sweep++)
    await watch.poll(START_MS + sweep * SWEEP_SECONDS * 1000, new AbortController().signal)
  const reading = spec && watch.reading(plan, spec, 0)
  if (reading?.kind !== 'counts') throw new Error(`no counts: ${JSON.stringify(reading)}`)
  return reading
}

describe('the latencies of a tick', () => {
  const buckets = (total: number, slower: readonly (readonly [bound: number, count: number])[]): Measure => ({
    kind: 'counts',
    total,
    bad: 0,
    latencies: { boundsSeconds: slower.map(([bound]) => bound), slower: slower.map(([, count]) => count) },
  })
  const latenciesOf = async (old: Measure, fresh: Measure) =>
    (await readingAfter(1, (_, cluster) => (cluster === 'blue' ? old : fresh), false)).latencies

  test('are told at the boundaries that both clusters have', async () => {
    const old = buckets(100, [
      [0.1, 40],
      [0.5, 10],
      [1, 2],
    ])
    const fresh = buckets(10, [
      [0.25, 4],
      [0.5, 3],
      [1, 1],
      [2, 1],
    ])
    expect(await latenciesOf(old, fresh)).toEqual({ boundsSeconds: [0.5, 1], slower: { old: [10, 2], new: [3, 1] } })
  })

  test('of a cluster that has none are not made up', async () => {
    const old = buckets(100, [
      [0.5, 10],
      [1, 2],
    ])
    expect(await latenciesOf(old, missing('empty', 'nothing there'))).toEqual({
      boundsSeconds: [0.5, 1],
      slower: { old: [10, 2], new: null },
    })
  })

  test('are none without buckets, or without a boundary in common', async () => {
    const bare: Measure = { kind: 'counts', total: 1, bad: 0, latencies: null }
    expect(await latenciesOf(bare, bare)).toBeNull()
    expect(await latenciesOf(buckets(1, [[0.5, 1]]), buckets(1, [[0.4, 1]]))).toBeNull()
  })
})

describe('how the bad events of OLD come', () => {
  /** OLD fails twenty requests of every tenth tick, NEW ten times as many. */
  const bursts: MeasureOf = ({ sinceMs, atMs }, cluster) => ({
    kind: 'counts',
    total: atMs - sinceMs,
    bad: (atMs / 10_000) % 10 === 0 ? (cluster === 'blue' ? 20 : 200) : 0,
    latencies: null,
  })
  test('is known at the first sweep, from the memory of the source', async () => {
    const { dispersion } = await readingAfter(1, bursts, true)
    expect(dispersion).toMatchObject({ ticks: 360, bad: 36 * 20 })
    expect(dispersion).toHaveProperty('phi', expect.closeTo(20, -1))
  })

  test('is learnt from what is polled where the source has no memory, and not told before', async () => {
    expect((await readingAfter(1, bursts, false)).dispersion).toBeNull()
    expect((await readingAfter(40, bursts, false)).dispersion).toMatchObject({ ticks: 40, bad: 80 })
  })
})
