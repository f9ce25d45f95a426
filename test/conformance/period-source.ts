import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { isMissing } from '../../src/core/observation.ts'
import type { SliSpec } from '../../src/core/plan.ts'
import { groupKey, type Measure, type MetricSource, type SliVector, type Tick } from '../../src/ports/source.ts'
import type { CountedEvent } from '../support/counted.ts'
import { sliSpec } from '../support/slis.ts'
import { A_CATALOG, A_CHECKOUT, anyLongWhile, B_CATALOG, counts, groupsOf, missingWhy } from './source-user.ts'

/** A source that runs over a store of counts that a test fills. */
export interface PeriodPlace {
  readonly source: MetricSource
  /** What the store holds; tags are `cluster` and `service`. */
  readonly events: CountedEvent[]
  /** How many calls came to the store. */
  calls(): number
  /** From now on nobody is there to ask. */
  stop(): Promise<void>
}

export interface PeriodTraits {
  createPlace(): Promise<PeriodPlace>
  /** Sixty seconds must be a multiple of it. */
  readonly periodSeconds: number
  /** What the metrics are called in the store. */
  readonly metrics: { readonly total: string; readonly bad: string; readonly value: string }
  /** The queries of these metrics, by `cluster` and `service`. */
  readonly queries: { readonly total: string; readonly bad: string; readonly value: string; readonly broken: string }
}

/** Begins a period and a window, ms. */
const START_MS = Date.UTC(2026, 0, 1, 12)

/** What every source must do that counts by whole periods: each event once, and nothing made up. */
export function periodConformance(name: string, traits: PeriodTraits): void {
  describe(`${name} is a source that counts by periods`, () => {
    let place: PeriodPlace
    beforeEach(async () => {
      place = await traits.createPlace()
    })
    afterEach(() => place.source.close())

    const user: PeriodUser = {
      traits,
      place: () => place,
      serve: (cluster, service, served, atMs) => {
        const add = (metric: string, value: number) =>
          place.events.push({ metric, tags: { cluster, service }, atMs, value })
        if (served.total !== undefined) add(traits.metrics.total, served.total)
        if (served.bad !== undefined) add(traits.metrics.bad, served.bad)
        if (served.value !== undefined) add(traits.metrics.value, served.value)
      },
      poll: async (sli, tick) => groupsOf((await place.source.poll([sli], tick, anyLongWhile())).get(sli), tick),
    }
    countSuite(user)
    absenceSuite(user)
    pastSuite(user)
    troubleSuite(user)
  })
}

interface PeriodUser {
  readonly traits: PeriodTraits
  place(): PeriodPlace
  serve(cluster: string, service: string, served: Served, atMs: number): void
  poll(sli: SliSpec, tick: Tick): Promise<ReadonlyMap<string, Measure>>
}

interface Served {
  readonly total?: number
  readonly bad?: number
  readonly value?: number
}

function askSli({ queries }: PeriodTraits, windowSeconds: number | null = 60): SliSpec {
  return sliSpec({ kind: 'ask', total: queries.total, bad: queries.bad, windowSeconds })
}

function valueSli({ queries }: PeriodTraits): SliSpec {
  return sliSpec({ kind: 'askValue', value: queries.value, windowSeconds: 60 })
}

/** The tick that ends so many seconds after the start. */
function tickAt(seconds: number, length = 10): Tick {
  return { sinceMs: START_MS + (seconds - length) * 1000, atMs: START_MS + seconds * 1000 }
}

function countSuite({ traits, place, serve, poll }: PeriodUser): void {
  test('over the ticks of some windows every event counts once, with that of its period', async () => {
    for (const [seconds, total, bad] of [
      [5, 60, 6],
      [65, 120, 0],
      [119, 30, 12],
    ] as const) {
      serve('prod-a', 'catalog', { total, bad }, START_MS + seconds * 1000)
      serve('prod-b', 'catalog', { total: 6 }, START_MS + seconds * 1000)
    }
    const sums = { total: 0, bad: 0, other: 0 }
    for (let seconds = 10; seconds <= 240; seconds += 10) {
      const groups = await poll(askSli(traits), tickAt(seconds))
      const [own, other] = [groups.get(A_CATALOG), groups.get(B_CATALOG)]
      if (own?.kind === 'counts') Object.assign(sums, { total: sums.total + own.total, bad: sums.bad + own.bad })
      if (other?.kind === 'counts') sums.other += other.total
    }
    expect(sums.total).toBeCloseTo(210)
    expect(sums.bad).toBeCloseTo(18)
    expect(sums.other).toBeCloseTo(18)
  })

  test('a tick takes its share of the newest whole window', async () => {
    serve('prod-a', 'catalog', { total: 60, bad: 12 }, START_MS + 30_000)
    serve('prod-a', 'checkout', { total: 6 }, START_MS + 30_000)
    expect(await poll(askSli(traits), tickAt(60))).toEqual(
      new Map([
        [A_CATALOG, counts(10, 2)],
        [A_CHECKOUT, counts(1, 0)],
      ]),
    )
  })

  test('a tick longer than the window loses nothing', async () => {
    serve('prod-a', 'catalog', { total: 60, bad: 12 }, START_MS + 30_000)
    serve('prod-a', 'catalog', { total: 40 }, START_MS + 90_000)
    expect((await poll(askSli(traits), tickAt(120, 120))).get(A_CATALOG)).toEqual(counts(100, 12))
  })

  test('without a window a tick of whole periods counts what is its own', async () => {
    serve('prod-a', 'catalog', { total: 60, bad: 12 }, START_MS + 30_000)
    serve('prod-a', 'catalog', { total: 40 }, START_MS + 90_000)
    expect((await poll(askSli(traits, null), tickAt(120, 60))).get(A_CATALOG)).toEqual(counts(40, 0))
  })

  test('the period that is not over yet is left out', async () => {
    serve('prod-a', 'catalog', { total: 60 }, START_MS + 30_000)
    serve('prod-a', 'catalog', { total: 600 }, START_MS + 60_500)
    const tick = tickAt(61, 10)
    expect((await poll(askSli(traits), tick)).get(A_CATALOG)).toEqual(counts(10, 0))
  })

  test('a value is that of the newest period', async () => {
    serve('prod-a', 'catalog', { value: 3 }, START_MS + 5_000)
    serve('prod-b', 'catalog', { value: 7 }, START_MS + 5_000)
    expect(await poll(valueSli(traits), tickAt(60))).toEqual(
      new Map([
        [A_CATALOG, { kind: 'value', value: 3 }],
        [B_CATALOG, { kind: 'value', value: 7 }],
      ]),
    )
  })

  test('equal queries are one call, and ticks between two borders ask once', async () => {
    serve('prod-a', 'catalog', { total: 60, bad: 12 }, START_MS + 30_000)
    const twins = [askSli(traits), structuredClone(askSli(traits))]
    const tick = tickAt(60)
    const answers = await place().source.poll(twins, tick, anyLongWhile())
    expect(twins.map((sli) => groupsOf(answers.get(sli), tick).get(A_CATALOG))).toEqual([counts(10, 2), counts(10, 2)])
    expect(place().calls()).toBe(1)
    const later = { sinceMs: tick.atMs, atMs: tick.atMs + 1000 }
    expect((await poll(askSli(traits), later)).get(A_CATALOG)).toEqual(counts(1, 0.2))
    expect(place().calls()).toBe(1)
  })
}

function absenceSuite({ traits, place, serve, poll }: PeriodUser): void {
  test('without a total a group is not there, whatever is bad', async () => {
    serve('prod-a', 'catalog', { bad: 12 }, START_MS + 30_000)
    serve('prod-b', 'catalog', { total: 12 }, START_MS - 30_000)
    expect([...(await poll(askSli(traits), tickAt(60))).keys()]).toEqual([])
  })

  test('a metric that nobody has gives no groups', async () => {
    expect([...(await poll(askSli(traits), tickAt(60))).keys()]).toEqual([])
    expect([...(await poll(valueSli(traits), tickAt(60))).keys()]).toEqual([])
  })

  test('what was empty is asked for again: it may have been late', async () => {
    await poll(askSli(traits), tickAt(60))
    serve('prod-a', 'catalog', { total: 60 }, START_MS + 30_000)
    expect((await poll(askSli(traits), tickAt(60))).get(A_CATALOG)).toEqual(counts(10, 0))
  })

  test('series that lack a label are no answer', async () => {
    serve('prod-a', 'catalog', { total: 60 }, START_MS + 30_000)
    const sli = { ...askSli(traits), labels: { cluster: 'elsewhere', workload: 'service' } }
    const answers = await place().source.poll([sli], tickAt(60), anyLongWhile())
    expect(answers.get(sli)).toEqual(missingWhy('bad-answer'))
  })

  test.each([
    { kind: 'selector', total: 'a', bad: 'b' },
    { kind: 'query', total: 'a[$window]', bad: 'b[$window]', windowSeconds: 60 },
    { kind: 'histogram', metric: 'a', slowerThanSeconds: 0.5 },
  ] as const)('the form $kind is refused', async (measure) => {
    const sli = sliSpec(measure)
    expect((await place().source.poll([sli], tickAt(60), anyLongWhile())).get(sli)).toEqual(missingWhy('refused'))
    const span = { untilMs: START_MS, seconds: 60, tickSeconds: 10 }
    expect(await place().source.history(sli, span, anyLongWhile())).toEqual(missingWhy('refused'))
  })
}

function pastSuite({ traits, place, serve, poll }: PeriodUser): void {
  const historyOf = async (sli: SliSpec, seconds: number, tickSeconds: number): Promise<readonly SliVector[]> => {
    const span = { untilMs: START_MS + 120_000, seconds, tickSeconds }
    const vectors = await place().source.history(sli, span, anyLongWhile())
    if (isMissing(vectors)) throw new Error(vectors.detail)
    return vectors
  }

  test('history comes as ticks in order, each beginning where the last ended', async () => {
    const vectors = await historyOf(askSli(traits), 30, 10)
    expect(vectors.map((vector) => !isMissing(vector) && [vector.sinceMs, vector.atMs])).toEqual(
      [90, 100, 110].map((seconds) => [START_MS + seconds * 1000, START_MS + (seconds + 10) * 1000]),
    )
  })

  test('history tells of a tick what the poll told of it', async () => {
    for (let seconds = 3; seconds < 120; seconds += 7)
      serve('prod-a', 'catalog', { total: seconds, bad: seconds % 3 }, START_MS + seconds * 1000)
    const vectors = await historyOf(askSli(traits), 60, 10)
    for (const vector of vectors) {
      if (isMissing(vector)) throw new Error(vector.detail)
      const { sinceMs, atMs, groups } = vector
      expect(groups).toEqual(await poll(askSli(traits), { sinceMs, atMs }))
    }
  })

  test('a long past is told in ticks of an hour, and every event counts once in it', async () => {
    const HOUR_MS = 3_600_000
    for (let hour = 1; hour <= 30 * 24; hour += 24)
      serve('prod-a', 'catalog', { total: 10, bad: 1 }, START_MS - hour * HOUR_MS + 1000)
    const span = { untilMs: START_MS, seconds: 30 * 86_400, tickSeconds: 3600 }
    const vectors = await place().source.history(askSli(traits), span, anyLongWhile())
    if (isMissing(vectors)) throw new Error(vectors.detail)
    expect(vectors).toHaveLength(720)
    const measures = vectors.map((vector) => (isMissing(vector) ? null : vector.groups.get(A_CATALOG)))
    const totals = measures.map((measure) => (measure?.kind === 'counts' ? measure.total : 0))
    expect(totals.filter((total) => total > 0)).toEqual(Array.from({ length: 30 }, () => 10))
    expect(place().calls()).toBeLessThan(10)
  })
}

function troubleSuite({ traits, place, serve, poll }: PeriodUser): void {
  test('one broken query does not blind the others, and is told', async () => {
    serve('prod-a', 'catalog', { total: 60 }, START_MS + 30_000)
    const broken = sliSpec({ kind: 'ask', total: traits.queries.broken, bad: traits.queries.bad, windowSeconds: 60 })
    for (let round = 0; round < 2; round++) {
      const tick = tickAt(60 + 60 * round)
      serve('prod-a', 'catalog', { total: 60 }, tick.atMs - 1)
      const good = askSli(traits)
      const answers = await place().source.poll([broken, good], tick, anyLongWhile())
      expect(answers.get(broken)).toEqual(missingWhy('refused'))
      expect(groupsOf(answers.get(good), tick).get(A_CATALOG)).toMatchObject({ kind: 'counts', bad: 0 })
    }
  })

  test('with an aborted signal every SLI is missing', async () => {
    const slis = [askSli(traits), valueSli(traits)]
    const answers = await place().source.poll(slis, tickAt(60), AbortSignal.abort())
    expect([...answers.values()]).toEqual([missingWhy('timeout'), missingWhy('timeout')])
    const span = { untilMs: START_MS, seconds: 60, tickSeconds: 10 }
    expect(await place().source.history(askSli(traits), span, AbortSignal.abort())).toEqual(missingWhy('timeout'))
  })

  test('nothing asked, nothing answered', async () => {
    expect((await place().source.poll([], tickAt(60), anyLongWhile())).size).toBe(0)
    expect(place().calls()).toBe(0)
  })

  test('it tells how late its data is, and can be closed twice', async () => {
    expect(place().source.ingestDelaySeconds).toBeGreaterThan(0)
    await place().source.close()
    await place().source.close()
  })

  test('when nobody is there, every SLI is missing', async () => {
    await place().stop()
    const sli = askSli(traits)
    expect((await place().source.poll([sli], tickAt(60), anyLongWhile())).get(sli)).toEqual(missingWhy('unreachable'))
  })

  test('groups are told apart by cluster and workload', async () => {
    serve('prod-a', 'checkout', { total: 60 }, START_MS + 30_000)
    const groups = await poll(askSli(traits), tickAt(60))
    expect([...groups.keys()]).toEqual([groupKey('prod-a', 'checkout')])
  })
}
