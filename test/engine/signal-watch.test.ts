import { describe, expect, test } from 'vitest'
import { missing } from '../../src/core/observation.ts'
import type { SliSpec } from '../../src/core/plan.ts'
import { SignalWatch } from '../../src/engine/signal-watch.ts'
import { createTimer } from '../../src/engine/timer.ts'
import { groupKey, type Measure, type MetricSource, type SliVector } from '../../src/ports/source.ts'
import { NO_TRACER } from '../../src/ports/tracer.ts'
import { createFakeClock } from '../../src/simulate/clock.ts'
import { createFakeLog, createFakeMeter } from '../../src/simulate/runtime.ts'
import { fleetOf, signalOf } from '../support/fleet.ts'

const BOTH = { old: true, new: true }

/** A watch of one signal over a source whose answer is in the test's hands. */
function watching() {
  const asked: (readonly SliSpec[])[] = []
  const world = { answer: (): SliVector | Promise<never> => missing('empty', 'nothing yet') }
  const source: MetricSource = {
    poll: async (specs) => {
      asked.push(specs)
      const answer = await world.answer()
      return new Map(specs.map((spec) => [spec, answer]))
    },
    history: async () => [],
    close: async () => {},
  }
  const log = createFakeLog()
  const timer = createTimer(createFakeClock(0))
  const watch = new SignalWatch(new Map([['fake', source]]), 10, {
    log,
    meter: createFakeMeter(),
    timer,
    tracer: NO_TRACER,
  })
  const plan = fleetOf({ all: ['a'] }, { signals: [signalOf()], signalSource: 'fake' })
  const poll = async (seconds: number, one = plan, signal = new AbortController().signal) => {
    await watch.poll(seconds * 1000, [one], () => BOTH, signal)
    return watch.readings('m')[0] ?? null
  }
  const says = (fresh: Measure | null) => {
    const groups = new Map<string, Measure>([[groupKey('blue', ''), { kind: 'value', value: 1 }]])
    if (fresh) groups.set(groupKey('green', ''), fresh)
    world.answer = () => ({ kind: 'vector', sinceMs: 0, atMs: 0, groups })
  }
  return { watch, plan, poll, says, world, asked, log }
}

describe('a signal', () => {
  test('is asked for by the cluster alone, once a sweep', async () => {
    const { poll, says, asked } = watching()
    says({ kind: 'value', value: 5 })
    await poll(10)
    await poll(10)
    expect(asked).toHaveLength(1)
    expect(asked[0]).toMatchObject([{ name: 'queue', labels: { cluster: 'cluster', workload: '' } }])
  })

  test('is bad since the first reading beyond its bound; a gap neither ends that nor begins it', async () => {
    const { poll, says } = watching()
    const readings = []
    for (const [seconds, value] of [
      [10, null],
      [20, 11],
      [30, null],
      [40, 12],
      [50, 10],
      [60, 11],
    ] as const) {
      says(value === null ? null : { kind: 'value', value })
      readings.push((await poll(seconds))?.badSinceMs)
    }
    expect(readings).toEqual([null, 20_000, 20_000, 20_000, null, 60_000])
  })

  test.each<[string, SliVector | null, Measure | null, string]>([
    ['a source that fails', missing('unreachable', 'no connection'), null, 'no connection'],
    ['a cluster without a sample', null, null, 'the query gives nothing with cluster="green"'],
    ['a value that is no number', null, missing('not-a-number', 'NaN'), 'NaN'],
    ['counts', null, { kind: 'counts', total: 1, bad: 0, latencies: null }, 'counts came where a value was expected'],
  ])('is missing with %s, whatever it was before', async (_name, vector, measure, detail) => {
    const { poll, says, world } = watching()
    says({ kind: 'value', value: 5 })
    expect((await poll(10))?.value.new).toBe(5)
    says(measure)
    if (vector) world.answer = () => vector
    expect((await poll(20))?.value.new).toMatchObject({ kind: 'missing', detail })
  })

  test('of a source that hangs is missing when the sweep ends', async () => {
    const { poll, world } = watching()
    world.answer = () => new Promise<never>(() => {})
    const reading = await poll(10, undefined, AbortSignal.abort())
    expect(reading?.value).toMatchObject({ old: { why: 'timeout' }, new: { why: 'timeout' } })
  })

  test('of a source that is not open is missing, and says so', async () => {
    const { poll, plan } = watching()
    const reading = await poll(10, { ...plan, signalSource: 'other' })
    expect(reading?.value.new).toMatchObject({ detail: expect.stringContaining('no source "other"') })
  })

  test('that was edited is judged afresh; one that is gone is forgotten', async () => {
    const { poll, says, watch, plan } = watching()
    says({ kind: 'value', value: 11 })
    await poll(10)
    expect((await poll(20))?.badSinceMs).toBe(10_000)
    const edited = { ...plan, signals: [signalOf({ bound: { max: 5 } })] }
    expect((await poll(30, edited))?.badSinceMs).toBe(30_000)
    await watch.poll(40_000, [], () => BOTH, new AbortController().signal)
    expect(watch.readings('m')).toEqual([])
  })

  test('that cannot be read is told once, and again when it can', async () => {
    const { poll, says, log } = watching()
    await poll(10)
    await poll(20)
    says({ kind: 'value', value: 5 })
    await poll(30)
    await poll(40)
    expect(log.lines.map(({ message }) => message)).toEqual(['a signal cannot be read', 'a signal can be read again'])
  })
})
