import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { isMissing } from '../../src/core/observation.ts'
import type { SliSpec } from '../../src/core/plan.ts'
import { groupKey, type Measure, type MetricSource } from '../../src/ports/source.ts'
import { prometheusSettings } from '../../src/sources/prometheus/settings.ts'
import { openPrometheus } from '../../src/sources/prometheus/source.ts'
import { adapterContext } from '../support/adapter-context.ts'
import { type NativeSample, writeNativeHistograms } from '../support/native-histograms.ts'
import { type PodPrometheus, startNativePrometheus } from '../support/pod-prometheus.ts'
import { requireServer } from '../support/servers.ts'
import { sliSpec } from '../support/slis.ts'

const binary = requireServer('prometheus', 'prometheus, native histograms')

const A = groupKey('prod-a', 'catalog')
const B = groupKey('prod-b', 'catalog')
/** Samples are written, not scraped, so the past can be any; not too long ago, or Prometheus refuses it. */
const START_MS = Date.now() - 120_000
const TICK_MS = 10_000

/** The boundaries that are told, seconds: 8 ms to 8 s. */
const LADDER = Array.from({ length: 11 }, (_, index) => 2 ** (index - 7))

describe.skipIf(binary === null)('native histograms in a real Prometheus', () => {
  let prometheus: PodPrometheus
  let source: MetricSource
  let names = 0
  beforeAll(async () => {
    prometheus = await startNativePrometheus(binary ?? '')
    source = openPrometheus(prometheusSettings.parse({ url: prometheus.url, delay: '0s' }), adapterContext())
  }, 30_000)
  afterAll(async () => {
    await source.close()
    await prometheus.remove()
  })

  /** A metric of its own, with these samples a tick apart by pod; null: none at that time. */
  const write = async (pods: Readonly<Record<string, readonly (Histogram | null)[]>>): Promise<SliSpec> => {
    const metric = `latency_${names++}_seconds`
    const series = Object.entries(pods).map(([pod, all]) => ({
      labels: { __name__: metric, cluster: pod.startsWith('a') ? 'prod-a' : 'prod-b', service: 'catalog', pod },
      samples: all.flatMap((one, index): NativeSample[] =>
        one ? [{ schema: 0, ...one, atMs: START_MS + index * TICK_MS }] : [],
      ),
    }))
    await writeNativeHistograms(prometheus.url, series)
    return sliSpec({ kind: 'nativeHistogram', metric, slowerThanSeconds: 0.5 })
  }
  /** The groups of the tick that ends with the sample of this index. */
  const tickOf = async (sli: SliSpec, index: number): Promise<ReadonlyMap<string, Measure>> => {
    const tick = { sinceMs: START_MS + (index - 1) * TICK_MS, atMs: START_MS + index * TICK_MS }
    const vector = (await source.poll([sli], tick, AbortSignal.timeout(120_000))).get(sli)
    if (vector === undefined || isMissing(vector)) throw new Error(vector?.detail)
    return vector.groups
  }

  test('count what was slower than each power of two, exactly, by group', async () => {
    const sli = await write({
      a1: [at(-2, 5, 5, 5), at(-2, 8, 9, 6)],
      a2: [at(-2, 1), at(-2, 3, 0, 4, 2)],
      b1: [at(0, 7), at(0, 7)],
    })
    const groups = await tickOf(sli, 1)
    // Growth: 3 + 2 up to 0.25 s, 4 up to 0.5 s, 1 + 4 up to 1 s, 2 up to 2 s.
    expect(groups.get(A)).toEqual(counts(16, 7, { 0.25: 11, 0.5: 7, 1: 2 }, 16))
    expect(groups.get(B)).toEqual(counts(0, 0, {}, 0))
  })

  test('count exactly across a change of resolution', async () => {
    const fine = { schema: 2, first: -7, counts: [10, 10, 10, 10, 6] }
    const sli = await write({ a1: [fine, { schema: 0, first: -1, counts: [43, 9] }] })
    // Up to 0.5 s: 2^(-7/4) … 2^(-4/4) are 40 events in fine buckets, and 43 in a coarse one.
    expect((await tickOf(sli, 1)).get(A)).toEqual(counts(6, 3, { 0.5: 3 }, 6))
  })

  test('begin anew from zero when the count falls, and in a process without events', async () => {
    const sli = await write({ a1: [at(-2, 50, 50), at(-2, 4, 0, 3)], a2: [at(-2), at(-2, 2)] })
    expect((await tickOf(sli, 1)).get(A)).toEqual(counts(9, 3, { 0.25: 3, 0.5: 3 }, 9))
  })

  test('take the first sample of a process for history, not for growth', async () => {
    const sli = await write({ a1: [null, at(-2, 500), at(-2, 501)], b1: [at(-2, 1), at(-2, 2), at(-2, 3)] })
    expect([...(await tickOf(sli, 1)).keys()]).toEqual([B])
    expect((await tickOf(sli, 2)).get(A)).toMatchObject({ total: 1, bad: 0 })
  })

  test('have a past that adds up to the same', async () => {
    const sli = await write({ a1: [at(-2, 5), at(-2, 8, 1, 2), at(-2, 8, 4, 3), at(-2, 9, 4, 4)] })
    const untilMs = START_MS + 3 * TICK_MS
    const past = await source.history(sli, { untilMs, seconds: 30, tickSeconds: 10 }, AbortSignal.timeout(120_000))
    if (isMissing(past)) throw new Error(past.detail)
    expect(past.map((vector) => (isMissing(vector) ? vector : vector.groups.get(A)))).toEqual(
      [
        [6, 2],
        [4, 1],
        [2, 1],
      ].map(([total, bad]) => ({ kind: 'counts', total, bad, latencies: null })),
    )
  })

  test('are not there where nobody has them', async () => {
    const sli = sliSpec({ kind: 'nativeHistogram', metric: 'nobody_has_this', slowerThanSeconds: 0.5 })
    expect([...(await tickOf(sli, 1)).values()]).toEqual([])
  })
})

interface Histogram {
  readonly schema?: number
  readonly first: number
  readonly counts: readonly number[]
}

/** Counts of buckets that each reach to a power of two, the first one to 2^first seconds. */
function at(first: number, ...all: number[]): Histogram {
  return { first, counts: all }
}

/** `slower` by boundary in seconds; below all of them everything is, above nothing. */
function counts(total: number, bad: number, slower: Readonly<Record<number, number>>, below: number): Measure {
  const named = Object.keys(slower).map(Number)
  const of = (bound: number) => slower[bound] ?? (bound < Math.min(...named) ? below : 0)
  return { kind: 'counts', total, bad, latencies: { boundsSeconds: LADDER, slower: LADDER.map(of) } }
}
