import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { isMissing } from '../../src/core/observation.ts'
import type { SliMeasure, SliSpec } from '../../src/core/plan.ts'
import type { MetricSource } from '../../src/ports/source.ts'
import type { Events } from '../fakes/events.ts'
import { sliSpec } from '../support/slis.ts'
import { troubleSuite } from './source.ts'
import {
  A_CATALOG,
  A_CHECKOUT,
  anyLongWhile,
  B_CATALOG,
  counts,
  expectRefused,
  missingWhy,
  pollNext,
  type SourcePlace,
  type User,
} from './source-user.ts'

/** Queries in the source's own language, of the pods in `Events`, by cluster and service. */
export interface AskedQueries {
  readonly total: string
  readonly bad: string
  /** Nobody has such events. */
  readonly nothing: string
  /** A number for each group with events that is none. */
  readonly notANumber: string
  /** How many events there were, as a value. */
  readonly value: string
}

export interface AskedTraits {
  /** A source that runs, whose server answers from these events. */
  createPlace(): Promise<AskedPlace>
  readonly queries: AskedQueries
  readonly hasHistory: boolean
  /** As the language calls them; left out: `cluster` and `service`. */
  readonly labels?: SliSpec['labels']
  /** What one counts over; null, or left out: the tick itself. */
  readonly windowSeconds?: number | null
}

export interface AskedPlace {
  readonly source: MetricSource
  readonly events: Events
  /** How many questions the server was asked; its batches count once. */
  requests(): number
  stop(): Promise<void>
  remove(): Promise<void>
}

/** What every source with a language of its own must do: what happened counts once, in its tick. */
export function askedConformance(name: string, traits: AskedTraits): void {
  describe(`${name} is a metric source with a language of its own`, () => {
    const { queries, windowSeconds = null, labels = { cluster: 'cluster', workload: 'service' } } = traits
    let place: AskedPlace & SourcePlace
    beforeEach(async () => {
      const made = await traits.createPlace()
      place = { ...made, run: '', pods: made.events.pods, tick: async () => made.events.tick() }
    })
    afterEach(async () => {
      await place.source.close()
      await place.remove()
    })
    const spec = (measure: SliMeasure): SliSpec => ({ ...sliSpec(measure), labels })
    const counting = (total: string, bad: string) => spec({ kind: 'ask', total, bad, windowSeconds })
    const user: User = {
      place: () => place,
      availability: () => counting(queries.total, queries.bad),
      latency: () => counting(queries.total, queries.nothing),
      poll: async (...slis) => pollNext(place, slis),
    }
    eventSuite(user, () => place, traits)
    oddSuite(user, { counting, spec, queries })
    troubleSuite(user, traits)
  })
}

function eventSuite(user: User, placeOf: () => AskedPlace, { hasHistory }: AskedTraits): void {
  test('each group counts what happened in the tick, and no more', async () => {
    const { pods } = user.place()
    pods.a1.serve({ good: 50, bad: 9 })
    await user.poll(user.availability())
    pods.a1.serve({ good: 10 })
    pods.a2.serve({ good: 5, bad: 2 })
    pods.b1.serve({ good: 7 })
    expect((await user.poll(user.availability()))[0]).toEqual(
      new Map([
        [A_CATALOG, counts(17, 2)],
        [B_CATALOG, counts(7, 0)],
      ]),
    )
  })

  test('nothing bad beside good ones is none; nothing at all is no group, and never a zero', async () => {
    user.place().pods.a1.serve({ good: 3 })
    const [groups] = await user.poll(user.availability())
    expect(groups?.get(A_CATALOG)).toEqual(counts(3, 0))
    expect(groups?.get(A_CHECKOUT)?.kind).not.toBe('counts')
    const [later] = await user.poll(user.availability())
    expect([...(later?.values() ?? [])].filter(({ kind }) => kind !== 'missing')).toEqual([])
  })

  test('over many ticks the counts add up, and so does what the past says of them', async () => {
    const { pods, source } = user.place()
    const polled = { total: 0, bad: 0 }
    for (let index = 0; index < 6; index++) {
      pods.a1.serve({ good: 20 + index, bad: index % 2 })
      pods.a2.serve({ good: 1 })
      const measure = (await user.poll(user.availability()))[0]?.get(A_CATALOG)
      if (measure?.kind !== 'counts') throw new Error('no counts')
      polled.total += measure.total
      polled.bad += measure.bad
    }
    expect(polled).toEqual({ total: 144, bad: 3 })
    const span = { untilMs: placeOf().events.nowMs, seconds: 60, tickSeconds: 10 }
    const past = await source.history(user.availability(), span, anyLongWhile())
    if (isMissing(past)) throw new Error(past.detail)
    const measures = past.map((vector) => (isMissing(vector) ? vector : vector.groups.get(A_CATALOG)))
    const sum = (pick: 'total' | 'bad') =>
      measures.reduce((all, measure) => all + (measure?.kind === 'counts' ? measure[pick] : 0), 0)
    expect({ total: sum('total'), bad: sum('bad') }).toEqual(hasHistory ? polled : { total: 0, bad: 0 })
  })

  test('equal queries are sent once a poll, however many SLIs and workloads there are', async () => {
    const { pods } = user.place()
    for (const pod of Object.values(pods)) pod.serve({ good: 2, bad: 1 })
    const before = placeOf().requests()
    const [first, latency, twin] = await user.poll(
      user.availability(),
      user.latency(),
      structuredClone(user.availability()),
    )
    expect(first?.get(A_CATALOG)).toEqual(counts(6, 2))
    expect(latency?.get(A_CATALOG)).toEqual(counts(6, 0))
    expect(twin).toEqual(first)
    // The total and the two parts, or all of them in a batch.
    expect(placeOf().requests() - before).toBeLessThanOrEqual(3)
  })
}

function oddSuite(
  user: User,
  {
    counting,
    spec,
    queries,
  }: {
    readonly counting: (total: string, bad: string) => SliSpec
    readonly spec: (measure: SliMeasure) => SliSpec
    readonly queries: AskedQueries
  },
): void {
  test('what nobody has gives no groups, also where there are bad ones', async () => {
    user.place().pods.a1.serve({ bad: 3 })
    const [nothing, badAlone] = await user.poll(
      counting(queries.nothing, queries.nothing),
      counting(queries.nothing, queries.bad),
    )
    expect([nothing?.size, badAlone?.size]).toEqual([0, 0])
  })

  test('a count that is not a number is missing', async () => {
    user.place().pods.a1.serve({ good: 3 })
    const [groups] = await user.poll(counting(queries.notANumber, queries.nothing))
    expect(groups?.get(A_CATALOG)).toEqual(missingWhy('not-a-number'))
  })

  test('a value is told as it is, and one that is not a number is missing', async () => {
    user.place().pods.a1.serve({ good: 3, bad: 1 })
    const value = (query: string) => spec({ kind: 'askValue', value: query, windowSeconds: 60 })
    const [groups, odd] = await user.poll(value(queries.value), value(queries.notANumber))
    expect(groups?.get(A_CATALOG)).toEqual({ kind: 'value', value: 4 })
    expect(odd?.get(A_CATALOG)).toEqual(missingWhy('not-a-number'))
  })

  test.each<SliMeasure>([
    { kind: 'selector', total: 'a', bad: 'b' },
    { kind: 'histogram', metric: 'a', slowerThanSeconds: 0.5 },
    { kind: 'query', total: 'a[$window]', bad: 'b[$window]', windowSeconds: 60 },
    { kind: 'value', value: 'c[$window]', windowSeconds: 60 },
  ])('the form $kind, which is PromQL, is refused', (measure) => expectRefused(user.place(), spec(measure)))
}
