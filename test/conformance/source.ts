import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { isMissing } from '../../src/core/observation.ts'
import type { SliMeasure } from '../../src/core/plan.ts'
import type { Pod } from '../support/pods.ts'
import { availabilitySli, latencySli, sliSpec } from '../support/slis.ts'
import { latencySuite } from './source-latencies.ts'
import {
  A_CATALOG,
  A_CHECKOUT,
  anyLongWhile,
  B_CATALOG,
  counts,
  expectRefused,
  groupsOf,
  missingWhy,
  pollNext,
  type SourcePlace,
  type User,
} from './source-user.ts'

export interface SourceTraits {
  createPlace(): Promise<SourcePlace>
  readonly measures: readonly SliMeasure['kind'][]
  readonly hasHistory: boolean
}

/** What every source must do: what the pods counted arrives once, in the tick that can first know it. */
export function sourceConformance(name: string, traits: SourceTraits): void {
  describe(`${name} is a metric source`, () => {
    let place: SourcePlace
    beforeEach(async () => {
      place = await traits.createPlace()
    })
    afterEach(async () => {
      await place.source.close()
      await place.remove()
    })

    const user: User = {
      place: () => place,
      availability: () => availabilitySli(place.run),
      latency: (slowerThanSeconds) => latencySli(place.run, slowerThanSeconds),
      poll: async (...slis) => pollNext(place, slis),
    }
    countSuite(user)
    if (traits.measures.includes('goodSelector')) goodSuite(user)
    latencySuite(user)
    absenceSuite(user, traits)
    troubleSuite(user, traits)
  })
}

function countSuite(user: User): void {
  const availability = async () => (await user.poll(user.availability()))[0]

  test('the first look gives no counts: what was before it is history', async () => {
    user.place().pods.a1.serve({ good: 1000, bad: 1000 })
    const groups = await availability()
    expect([...(groups?.values() ?? [])].filter(({ kind }) => kind !== 'missing')).toEqual([])
  })

  test('each group counts what its pods served, and no more', async () => {
    const { pods } = user.place()
    pods.a1.serve({ good: 50 })
    await availability()
    pods.a1.serve({ good: 10 })
    pods.a2.serve({ good: 5, bad: 2 })
    pods.b1.serve({ good: 7 })
    expect(await availability()).toEqual(
      new Map([
        [A_CATALOG, counts(17, 2)],
        [B_CATALOG, counts(7, 0)],
        [A_CHECKOUT, counts(0, 0)],
      ]),
    )
  })

  test('nothing served, nothing counted', async () => {
    user.place().pods.a1.serve({ good: 50, bad: 5 })
    await availability()
    expect((await availability())?.get(A_CATALOG)).toEqual(counts(0, 0))
    expect((await availability())?.get(A_CATALOG)).toEqual(counts(0, 0))
  })

  test('the very first errors count, all of them', async () => {
    const { pods } = user.place()
    pods.a1.serve({ good: 50 })
    await availability()
    pods.a1.serve({ bad: 3 })
    expect((await availability())?.get(A_CATALOG)).toEqual(counts(3, 3))
  })

  test('a counter that begins anew counts from zero', async () => {
    const { pods } = user.place()
    pods.a1.serve({ good: 50, bad: 10 })
    await availability()
    pods.a1.restart()
    pods.a1.serve({ good: 4, bad: 1 })
    expect((await availability())?.get(A_CATALOG)).toEqual(counts(5, 1))
    pods.a1.serve({ good: 2 })
    expect((await availability())?.get(A_CATALOG)).toEqual(counts(2, 0))
  })

  test('what a pod counted while it was away comes when it is back', async () => {
    const { pods } = user.place()
    pods.a1.serve({ good: 50, bad: 1 })
    await availability()
    pods.a1.vanish()
    pods.a1.serve({ good: 8, bad: 2 })
    pods.a2.serve({ good: 1 })
    expect((await availability())?.get(A_CATALOG)).toEqual(counts(1, 0))
    pods.a1.comeBack()
    expect((await availability())?.get(A_CATALOG)).toEqual(counts(10, 2))
  })

  test('several SLIs, some of them equal, are answered each', async () => {
    const { pods } = user.place()
    const twin = structuredClone(user.availability())
    await user.poll(user.availability(), user.latency(), twin)
    pods.a1.serve({ good: 10, bad: 1, slow: 2 })
    const [first, latency, second] = await user.poll(user.availability(), user.latency(), twin)
    expect(first?.get(A_CATALOG)).toEqual(counts(11, 1))
    expect(latency?.get(A_CATALOG)).toMatchObject({ total: 11, bad: 2 })
    expect(second).toEqual(first)
  })

  test('over many ticks with restarts and absences, the counts add up', async () => {
    const { pods } = user.place()
    const sum = { total: 0, bad: 0 }
    const served = { total: 0, bad: 0 }
    const take = async () => {
      const measure = (await availability())?.get(A_CATALOG)
      if (measure?.kind !== 'counts') return
      sum.total += measure.total
      sum.bad += measure.bad
    }
    const serve = (pod: Pod, good: number, bad: number) => {
      pod.serve({ good, bad })
      served.total += good + bad
      served.bad += bad
    }
    await take()
    for (const [index, pod] of [pods.a1, pods.a2, pods.a1, pods.a2].entries()) {
      serve(pod, 20 + index, index)
      await take()
      pod.vanish()
      serve(pod, 3, 2)
      serve(pods.a1, 1, 1)
      await take()
      pod.comeBack()
      serve(pod, 2, 0)
      await take()
      pod.restart()
      serve(pod, 4, 1)
      await take()
    }
    expect(sum).toEqual(served)
  })
}

/** Where the good ones are counted, the others are bad. */
function goodSuite(user: User): void {
  const answered = () => {
    const total = `http_requests_total{run="${user.place().run}"}`
    return sliSpec({ kind: 'goodSelector', total, good: `http_requests_total{run="${user.place().run}",code="200"}` })
  }

  test('what is not counted as good is bad, also over a counter that begins anew', async () => {
    const { pods } = user.place()
    pods.a1.serve({ good: 50, bad: 10 })
    pods.a2.serve({ good: 1 })
    await user.poll(answered())
    pods.a1.restart()
    pods.a1.serve({ good: 4, bad: 1 })
    pods.a2.serve({ good: 5, bad: 2 })
    expect((await user.poll(answered()))[0]?.get(A_CATALOG)).toEqual(counts(12, 3))
  })

  test('without any series of good ones a group is missing: all bad, or a wrong selector', async () => {
    const sli = sliSpec({ kind: 'goodSelector', total: 'http_requests_total', good: 'nobody_has_this{code="200"}' })
    await user.poll(sli)
    user.place().pods.a1.serve({ good: 3 })
    const [groups] = await user.poll(sli)
    expect(groups?.get(A_CATALOG)).toEqual({
      kind: 'missing',
      why: 'empty',
      detail: expect.stringContaining('nobody_has_this'),
    })
  })
}

function absenceSuite(user: User, { measures }: SourceTraits): void {
  test('a metric that nobody has gives no groups', async () => {
    const sli = sliSpec({ kind: 'selector', total: 'nobody_has_this', bad: 'nobody_has_this{code="500"}' })
    await user.poll(sli)
    expect([...((await user.poll(sli))[0]?.values() ?? [])]).toEqual([])
  })

  test('errors without a total are no group', async () => {
    const sli = sliSpec({ kind: 'selector', total: 'nobody_has_this', bad: 'http_requests_total' })
    await user.poll(sli)
    user.place().pods.a1.serve({ bad: 3 })
    expect([...((await user.poll(sli))[0]?.values() ?? [])]).toEqual([])
  })

  test('a bound that is no bucket is missing, and named', async () => {
    const sli = user.latency(0.3)
    await user.poll(sli)
    user.place().pods.a1.serve({ good: 3 })
    const [groups] = await user.poll(sli)
    expect(groups?.get(A_CATALOG)).toEqual({ kind: 'missing', why: 'empty', detail: expect.stringContaining('0.3 s') })
  })

  test('a bound of whole seconds is found however it is printed', async () => {
    const sli = user.latency(1)
    await user.poll(sli)
    user.place().pods.a1.serve({ good: 3, slow: 1 })
    expect((await user.poll(sli))[0]?.get(A_CATALOG)).toMatchObject({ total: 3, bad: 0 })
  })

  test('a value that is not a number is missing', async () => {
    const sli = sliSpec({ kind: 'selector', total: 'odd', bad: 'http_requests_total{code="500"}' })
    await user.poll(sli)
    expect((await user.poll(sli))[0]?.get(A_CATALOG)).toEqual(missingWhy('not-a-number'))
  })

  const NOT_MEASURED: readonly SliMeasure[] = (
    [
      { kind: 'nativeHistogram', metric: 'a', slowerThanSeconds: 0.5 },
      { kind: 'query', total: 'a[$window]', bad: 'b[$window]', windowSeconds: 60 },
      { kind: 'value', value: 'c[$window]', windowSeconds: 60 },
    ] as const
  ).filter(({ kind }) => !measures.includes(kind))
  test.each(NOT_MEASURED)('the form $kind is refused', (measure) => expectRefused(user.place(), sliSpec(measure)))
}

/** What every source must do when it is not as it should be. */
export function troubleSuite(user: User, { hasHistory }: Pick<SourceTraits, 'hasHistory'>): void {
  test('with an aborted signal every SLI is missing', async () => {
    await user.poll(user.availability())
    const tick = await user.place().tick()
    const answers = await user.place().source.poll([user.availability(), user.latency()], tick, AbortSignal.abort())
    expect([...answers.values()]).toEqual([missingWhy('timeout'), missingWhy('timeout')])
  })

  test('what was counted in a tick that nobody could read comes with the next', async () => {
    const { pods, source } = user.place()
    const sli = user.availability()
    const first = await user.place().tick()
    await source.poll([sli], first, anyLongWhile())
    pods.a1.serve({ good: 5, bad: 1 })
    await source.poll([sli], await user.place().tick(), AbortSignal.abort())
    pods.a1.serve({ good: 2 })
    const { atMs } = await user.place().tick()
    const tick = { sinceMs: first.atMs, atMs }
    const vector = (await source.poll([sli], tick, anyLongWhile())).get(sli)
    expect(groupsOf(vector, tick).get(A_CATALOG)).toEqual(counts(8, 1))
  })

  test('nothing asked, nothing answered', async () => {
    expect((await user.place().source.poll([], await user.place().tick(), anyLongWhile())).size).toBe(0)
  })

  test('history comes as ticks in order, each beginning where the last ended', async () => {
    await user.poll(user.availability())
    const { atMs } = await user.place().tick()
    const span = { untilMs: atMs, seconds: 30, tickSeconds: 5 }
    const vectors = await user.place().source.history(user.availability(), span, anyLongWhile())
    const ticks = isMissing(vectors)
      ? null
      : vectors.map((vector) => !isMissing(vector) && [vector.sinceMs, vector.atMs])
    const starts = hasHistory ? [30, 25, 20, 15, 10, 5] : []
    expect(ticks).toEqual(starts.map((ago) => [atMs - ago * 1000, atMs - ago * 1000 + 5000]))
  })

  test('it can be closed twice', async () => {
    await user.place().source.close()
    await user.place().source.close()
  })

  // The last one: some places are slow to start again.
  test('when nobody is there, every SLI is missing', async () => {
    await user.poll(user.availability())
    const tick = await user.place().tick()
    await user.place().stop()
    const answers = await user.place().source.poll([user.availability()], tick, anyLongWhile())
    expect([...answers.values()]).toEqual([missingWhy('unreachable')])
  })
}
