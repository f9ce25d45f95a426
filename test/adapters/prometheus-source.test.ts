import { afterAll, describe, expect, test } from 'vitest'
import { isMissing } from '../../src/core/observation.ts'
import type { SliSpec } from '../../src/core/plan.ts'
import { groupKey, type SliVector } from '../../src/ports/source.ts'
import { prometheusSettings } from '../../src/sources/prometheus/settings.ts'
import { openPrometheus } from '../../src/sources/prometheus/source.ts'
import { sourceConformance } from '../conformance/source.ts'
import { adapterContext } from '../support/adapter-context.ts'
import { everyPageScraped, type PodPrometheus, startPodPrometheus } from '../support/pod-prometheus.ts'
import { type PodPages, servePods } from '../support/pods.ts'
import { requireServer } from '../support/servers.ts'
import { availabilitySli, latencySli, sliSpec } from '../support/slis.ts'
import { untilHolds } from '../support/until.ts'

const binary = requireServer('prometheus', 'prometheus, the real one')

/** Prometheus takes five seconds to begin with its targets, so the tests share one, and differ in their `run`. */
interface Shared {
  readonly pages: PodPages
  readonly prometheus: PodPrometheus
}

let shared: Shared | null = null
let runs = 0

async function begin(): Promise<Shared & { readonly run: string }> {
  if (shared === null) {
    const pages = await servePods()
    shared = { pages, prometheus: await startPodPrometheus(binary ?? '', pages, '200ms') }
  }
  runs += 1
  shared.pages.begin(`run-${runs}`)
  return { ...shared, run: `run-${runs}` }
}

async function removeShared(): Promise<void> {
  await shared?.prometheus.remove()
  await shared?.pages.close()
  shared = null
}

function open(url: string, more: Readonly<Record<string, string>>) {
  return openPrometheus(prometheusSettings.parse({ url, ...more }), adapterContext())
}

const longWhile = () => AbortSignal.timeout(120_000)
const A_CATALOG = groupKey('prod-a', 'catalog')

describe.skipIf(binary === null)('with a real Prometheus', () => {
  afterAll(removeShared)

  sourceConformance('prometheus', {
    measures: ['selector', 'goodSelector', 'histogram', 'nativeHistogram', 'query', 'value'],
    hasHistory: true,
    async createPlace() {
      const { pages, prometheus, run } = await begin()
      let sinceMs = Date.now() - 1000
      return {
        // Ticks wait for the scrapes themselves, so no delay is needed.
        source: open(prometheus.url, { delay: '0s' }),
        run,
        pods: pages.pods,
        async tick() {
          const atMs = await everyPageScraped(pages, prometheus)
          const tick = { sinceMs, atMs }
          sinceMs = tick.atMs
          return tick
        },
        stop: removeShared,
        remove: async () => {},
      }
    },
  })

  test('with the delay, scrapes that take long lose nothing', async () => {
    const { pages, prometheus, run } = await begin()
    const source = open(prometheus.url, { delay: '1s' })
    const sli = availabilitySli(run)
    pages.delayMs = 120
    await everyPageScraped(pages, prometheus)
    let sinceMs = Date.now()
    const sum = { total: 0, bad: 0 }
    const poll = async () => {
      const atMs = await everyPageScraped(pages, prometheus)
      const tick = { sinceMs, atMs }
      const vector = (await source.poll([sli], tick, longWhile())).get(sli)
      sinceMs = tick.atMs
      const measure = groupsOf(vector).get(A_CATALOG)
      if (measure?.kind === 'counts')
        Object.assign(sum, { total: sum.total + measure.total, bad: sum.bad + measure.bad })
      return measure?.kind
    }
    // The delay looks at the time before the first scrape.
    while ((await poll()) !== 'counts');
    for (let index = 0; index < 12; index++) {
      pages.pods.a1.serve({ good: 7, bad: index % 2 })
      await poll()
    }
    const lastMs = Date.now()
    while (sinceMs < lastMs + 1100) await poll()
    pages.delayMs = 0
    await source.close()
    expect(sum).toEqual({ total: 90, bad: 6 })
  })

  test('history and the polls after it meet without a gap or a double count', async () => {
    const { pages, prometheus, run } = await begin()
    const source = open(prometheus.url, { delay: '0s' })
    const [sli, latency] = [availabilitySli(run), latencySli(run)]
    const lookBack = async () => {
      const atMs = await everyPageScraped(pages, prometheus)
      const tick = { sinceMs: atMs - 2000, atMs }
      return groupsOf((await source.poll([sli], tick, longWhile())).get(sli)).get(A_CATALOG)
    }
    // Until the pods have been there for longer than the first tick of the history.
    while ((await lookBack()) === undefined);
    const startMs = Date.now()
    pages.pods.a1.serve({ good: 20, bad: 4, slow: 3 })
    await everyPageScraped(pages, prometheus)
    pages.pods.a2.serve({ good: 5, stuck: 1 })
    const untilMs = await everyPageScraped(pages, prometheus)
    pages.pods.a1.serve({ good: 3, bad: 1, slow: 2 })
    const nowMs = await everyPageScraped(pages, prometheus)

    const seconds = Math.ceil((untilMs - startMs) / 1000)
    const span = { untilMs, seconds, tickSeconds: 1 }
    const now = await source.poll([sli, latency], { sinceMs: untilMs, atMs: nowMs }, longWhile())
    const sumOf = async (spec: SliSpec) => {
      const past = await source.history(spec, span, longWhile())
      if (isMissing(past)) throw new Error(past.detail)
      const measures = [...past, now.get(spec)].map((vector) => groupsOf(vector).get(A_CATALOG))
      const sum = (pick: 'total' | 'bad') =>
        measures.reduce((all, measure) => all + (measure?.kind === 'counts' ? measure[pick] : 0), 0)
      return { total: sum('total'), bad: sum('bad') }
    }
    expect([await sumOf(sli), await sumOf(latency)]).toEqual([
      { total: 33, bad: 5 },
      { total: 33, bad: 6 },
    ])
    await source.close()
  })

  test('history leaves out what only some pods have a bucket for', async () => {
    const { pages, prometheus, run } = await begin()
    const source = open(prometheus.url, { delay: '0s' })
    pages.pods.a2.useBounds(['0.25', '1'])
    const latency = latencySli(run)
    // The pods are scraped one after the other: not all have a past from the same moment on.
    await untilHolds(async () => {
      const untilMs = await everyPageScraped(pages, prometheus)
      const past = await source.history(latency, { untilMs, seconds: 1, tickSeconds: 1 }, longWhile())
      if (isMissing(past)) throw new Error(past.detail)
      const groups = groupsOf(past[0])
      expect(groups.get(groupKey('prod-b', 'catalog'))?.kind).toBe('counts')
      expect(groups.get(A_CATALOG)).toEqual(missingWhy('empty', /no bucket/))
    })
    await source.close()
  })

  test('own PromQL: counts and values', async () => {
    const { pages, prometheus, run } = await begin()
    const source = open(prometheus.url, { delay: '0s' })
    const by = 'sum by (cluster, service)'
    const counted = sliSpec({
      kind: 'query',
      total: `${by} (count_over_time(http_requests_total{run="${run}",code="200"}[$window])) * 0 + 50`,
      bad: `${by} (count_over_time(http_requests_total{run="${run}",code="500"}[$window])) * 0 + 5`,
      windowSeconds: 10,
    })
    const value = sliSpec({ kind: 'value', value: `${by} (http_requests_total{run="${run}"})`, windowSeconds: 10 })
    const odd = sliSpec({ kind: 'value', value: `${by} (odd{run="${run}"})`, windowSeconds: 10 })
    const loose = sliSpec({ kind: 'value', value: `http_requests_total{run="${run}"}`, windowSeconds: 10 })
    const bare = sliSpec({ kind: 'value', value: 'vector(1)', windowSeconds: 10 })
    const wrong = sliSpec({ kind: 'value', value: 'rate(up)', windowSeconds: 10 })
    const text = sliSpec({ kind: 'value', value: 'scalar(vector(1))', windowSeconds: 10 })
    pages.pods.a1.serve({ good: 20, bad: 4 })
    const atMs = await everyPageScraped(pages, prometheus)
    const tick = { sinceMs: atMs - 2000, atMs }
    const answers = await source.poll([counted, value, odd, loose, bare, wrong, text], tick, longWhile())
    await source.close()
    // Two seconds of a window of ten.
    expect(groupsOf(answers.get(counted)).get(A_CATALOG)).toEqual({
      kind: 'counts',
      total: 10,
      bad: 1,
      latencies: null,
    })
    expect(groupsOf(answers.get(value)).get(A_CATALOG)).toEqual({ kind: 'value', value: 24 })
    expect(groupsOf(answers.get(odd)).get(A_CATALOG)).toEqual(missingWhy('not-a-number', /NaN/))
    expect(groupsOf(answers.get(loose)).get(A_CATALOG)).toEqual(missingWhy('bad-answer', /sum by \(cluster, service\)/))
    expect(answers.get(bare)).toEqual(missingWhy('bad-answer', /both labels/))
    expect(answers.get(wrong)).toEqual(missingWhy('refused', /parse error.*range vector/))
    expect(answers.get(text)).toEqual(missingWhy('bad-answer', /scalar/))
  })

  test('what is stale is gone, and within the tolerance goes on where it stopped', async () => {
    const { pages, prometheus, run } = await begin()
    const source = open(prometheus.url, { delay: '0s', staleAfter: '1s', gapTolerance: '1m' })
    const sli = availabilitySli(run)
    let sinceMs = Date.now()
    const poll = async () => {
      const atMs = await everyPageScraped(pages, prometheus)
      const tick = { sinceMs, atMs }
      sinceMs = tick.atMs
      return groupsOf((await source.poll([sli], tick, longWhile())).get(sli)).get(A_CATALOG)
    }
    while ((await poll()) === undefined);
    pages.pods.a1.serve({ good: 10 })
    // The sample that holds them may arrive after the query that could have seen it: then they come with the next.
    for (let seen = 0; seen < 10; ) {
      const counted = await poll()
      seen += counted?.kind === 'counts' ? counted.total : 0
    }
    for (const pod of [pages.pods.a1, pages.pods.a2]) pod.vanish()
    while ((await poll()) !== undefined);
    pages.pods.a1.serve({ good: 6, bad: 1 })
    for (const pod of [pages.pods.a1, pages.pods.a2]) pod.comeBack()
    expect(await poll()).toEqual({ kind: 'counts', total: 7, bad: 1, latencies: null })
    await source.close()
  })
})

function groupsOf(vector: SliVector | undefined) {
  if (vector === undefined || isMissing(vector)) throw new Error(`no vector: ${vector?.detail}`)
  return vector.groups
}

function missingWhy(why: string, detail: RegExp): unknown {
  return { kind: 'missing', why, detail: expect.stringMatching(detail) }
}
