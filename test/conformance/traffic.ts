import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { TrafficScope, WeightChange, WeightReading, WriteResult } from '../../src/ports/traffic.ts'
import { untilHolds } from '../support/until.ts'

/** The targets of the suite. The first three exist, at 0 %; the provider has never heard of the place of `ghost`. */
export const TARGET_IDS = ['a', 'b', 'c', 'ghost'] as const
const REAL_IDS = ['a', 'b', 'c'] as const

/** A provider that runs, all weights at 0 %. */
export interface TrafficPlace {
  /** A new scope with the targets TARGET_IDS. */
  open(): TrafficScope
  /** Writes a weight behind Headgate's back. */
  writeForeign(targetId: string, weightPercent: number): Promise<void>
  /** From now on the provider takes calls, and does not answer. */
  hang(): Promise<void>
  /** From now on nobody is there. */
  stop(): Promise<void>
  /** Ends and removes everything, also after `hang` and `stop`. */
  remove(): Promise<void>
}

export interface TrafficTraits {
  createPlace(): Promise<TrafficPlace>
  /** A secret that the scope uses and that must not be seen anywhere; null: this kind has none. */
  readonly canary: string | null
  /** Weights that this kind cannot express, and must refuse. */
  readonly inexpressiblePercents: readonly number[]
}

/**
 * What every traffic adapter must do. "The same weight" means equal to the step of 0.1 %: what was written is read back
 * exactly, or refused with TRAFFIC_WEIGHT.
 */
export function trafficConformance(name: string, traits: TrafficTraits): void {
  describe(`${name} is a traffic provider`, () => {
    let place: TrafficPlace
    let scope: TrafficScope
    const said: unknown[] = []

    beforeEach(async () => {
      place = await traits.createPlace()
      scope = place.open()
    })
    afterEach(async () => {
      await scope.close()
      await place.remove()
    })

    const user: User = {
      place: () => place,
      scope: () => scope,
      async read(ids, signal = anyLongWhile()) {
        const readings = await scope.read(ids, signal)
        said.push([...readings.values()])
        expect([...readings.keys()].sort(), 'one reading a target').toEqual([...ids].sort())
        return Object.fromEntries(readings)
      },
      async write(weights, { signal = anyLongWhile(), urgency = 'forward' } = {}) {
        const changes = Object.entries(weights).map(([targetId, weightPercent]) => ({
          targetId,
          weightPercent,
          ttlSeconds: null,
          urgency: typeof urgency === 'string' ? urgency : (urgency[targetId] ?? 'forward'),
        }))
        return Object.fromEntries(await writeAll(changes, signal))
      },
    }

    /** As the engine does: what one call had no room for is asked again with the next. */
    async function writeAll(changes: readonly WeightChange[], signal: AbortSignal): Promise<Map<string, WriteResult>> {
      const results = await scope.write(changes, signal)
      said.push([...results.values()])
      expect([...results.keys()].sort(), 'one result a change').toEqual(changes.map(({ targetId }) => targetId).sort())
      const deferred = changes.filter(({ targetId }) => results.get(targetId)?.kind === 'deferred')
      if (deferred.length === 0) return new Map(results)
      return new Map([...results, ...(await writeAll(deferred, signal))])
    }

    weightSuite(user, traits)
    batchSuite(user)
    troubleSuite(user)

    const { canary } = traits
    if (canary !== null)
      test('no secret is in anything that was answered', () => {
        expect(said.length).toBeGreaterThan(0)
        expect(JSON.stringify(said)).not.toContain(canary)
      })
  })
}

/** Short ways to use the scope that the running test has. */
interface User {
  place(): TrafficPlace
  scope(): TrafficScope
  read(ids: readonly string[], signal?: AbortSignal): Promise<Record<string, WeightReading>>
  write(weights: Record<string, number>, how?: How): Promise<Record<string, WriteResult>>
}

interface How {
  readonly signal?: AbortSignal
  /** One for all, or by target id; `forward` where nothing is said. */
  readonly urgency?: WeightChange['urgency'] | Readonly<Record<string, WeightChange['urgency']>>
}

const APPLIED: WriteResult = { kind: 'applied' }
const WEIGHTS_PERCENT = [0, 0.1, 0.4, 1, 12.5, 33.3, 50, 66.7, 99, 99.6, 99.9, 100]

function weightSuite(user: User, { inexpressiblePercents }: TrafficTraits): void {
  const expressible = WEIGHTS_PERCENT.filter((percent) => !inexpressiblePercents.includes(percent))

  test('at first every weight is 0', async () => {
    expect(await user.read(REAL_IDS)).toEqual({ a: weight(0), b: weight(0), c: weight(0) })
  })

  test.each(expressible)('%d %% is read back as it was written', async (percent) => {
    expect(await user.write({ a: percent })).toEqual({ a: APPLIED })
    expect(await user.read(['a'])).toEqual({ a: weight(percent) })
  })

  test('any weight follows any other', async () => {
    for (const percent of [...expressible, ...expressible.toReversed(), 50, 0, 100, 0]) {
      expect(await user.write({ a: percent })).toEqual({ a: APPLIED })
      expect(await user.read(['a'])).toEqual({ a: weight(percent) })
    }
  })

  if (inexpressiblePercents.length > 0)
    test('a weight that cannot be expressed is refused, and nothing moves', async () => {
      await user.write({ a: 10 })
      for (const percent of inexpressiblePercents)
        expect(await user.write({ a: percent, b: 20 })).toEqual({ a: failedWith('TRAFFIC_WEIGHT'), b: APPLIED })
      expect(await user.read(['a', 'b'])).toEqual({ a: weight(10), b: weight(20) })
    })

  test('a repeated write changes nothing', async () => {
    for (let time = 0; time < 3; time++) expect(await user.write({ a: 25 })).toEqual({ a: APPLIED })
    expect(await user.read(['a'])).toEqual({ a: weight(25) })
  })

  test('a weight that somebody else wrote is seen by the next read', async () => {
    await user.write({ a: 10 })
    await user.place().writeForeign('a', 40)
    expect(await user.read(['a'])).toEqual({ a: weight(40) })
  })

  test('a weight that somebody else wrote is written over', async () => {
    await user.place().writeForeign('a', 40)
    expect(await user.write({ a: 10 })).toEqual({ a: APPLIED })
    expect(await user.read(['a'])).toEqual({ a: weight(10) })
  })

  test('another scope of the same place reads the same', async () => {
    await user.write({ a: 30 })
    const other = user.place().open()
    expect(Object.fromEntries(await other.read(['a'], anyLongWhile()))).toEqual({ a: weight(30) })
    await other.close()
  })
}

function batchSuite(user: User): void {
  test('one call writes many targets', async () => {
    expect(await user.write({ a: 10, b: 50, c: 100 })).toEqual({ a: APPLIED, b: APPLIED, c: APPLIED })
    expect(await user.read(REAL_IDS)).toEqual({ a: weight(10), b: weight(50), c: weight(100) })
  })

  test('what a call does not name stays', async () => {
    await user.write({ a: 10, b: 20 })
    await user.write({ b: 30 })
    expect(await user.read(['a', 'b'])).toEqual({ a: weight(10), b: weight(30) })
  })

  test('reverts and forward steps go in one call', async () => {
    await user.write({ a: 50, b: 10 })
    const results = await user.write({ b: 25, a: 0 }, { urgency: { a: 'revert', b: 'forward' } })
    expect(results).toEqual({ a: APPLIED, b: APPLIED })
    expect(await user.read(['a', 'b'])).toEqual({ a: weight(0), b: weight(25) })
  })

  test('a place that does not exist fails alone', async () => {
    expect(await user.write({ a: 10, ghost: 10, b: 20 })).toEqual({
      a: APPLIED,
      ghost: failedWith('TRAFFIC_NOT_FOUND'),
      b: APPLIED,
    })
    expect(await user.read(['ghost', 'a', 'b'])).toEqual({ ghost: missingWhy('empty'), a: weight(10), b: weight(20) })
  })

  test('a target that the scope was not opened with fails alone', async () => {
    expect(await user.write({ stranger: 10, a: 20 })).toEqual({
      stranger: failedWith('TRAFFIC_NOT_FOUND'),
      a: APPLIED,
    })
    expect(await user.read(['stranger', 'a'])).toEqual({ stranger: missingWhy('empty'), a: weight(20) })
  })

  test('nothing asked, nothing answered', async () => {
    expect(await user.read([])).toEqual({})
    expect(await user.write({})).toEqual({})
  })
}

function troubleSuite(user: User): void {
  test('a call with an aborted signal fails, and writes nothing', async () => {
    const signal = AbortSignal.abort()
    expect(await user.read(['a'], signal)).toEqual({ a: missingWhy('timeout') })
    expect(await user.write({ a: 10 }, { signal })).toEqual({ a: failedWith('TRAFFIC_TIMEOUT') })
    expect(await user.read(['a'])).toEqual({ a: weight(0) })
  })

  test('a provider that hangs is given up with the signal', async () => {
    await user.read(['a'])
    await user.place().hang()
    const readers = new AbortController()
    const reading = user.read(REAL_IDS, readers.signal)
    readers.abort(new Error('the observe deadline is over'))
    expect(await reading).toEqual({ a: missingWhy('timeout'), b: missingWhy('timeout'), c: missingWhy('timeout') })

    const writers = new AbortController()
    const writing = user.write({ a: 0, b: 10 }, { urgency: { a: 'revert' }, signal: writers.signal })
    setImmediate(() => writers.abort(new Error('the write deadline is over')))
    expect(await writing).toEqual({ a: failedWith('TRAFFIC_TIMEOUT'), b: failedWith('TRAFFIC_TIMEOUT') })
  })

  test('a provider that is gone is unreachable', async () => {
    await user.read(['a'])
    await user.place().stop()
    expect(await user.read(['a', 'ghost'])).toEqual({ a: missingWhy('unreachable'), ghost: missingWhy('unreachable') })
    expect(await user.write({ a: 10, b: 10 })).toEqual({
      a: failedWith('TRAFFIC_UNREACHABLE'),
      b: failedWith('TRAFFIC_UNREACHABLE'),
    })
  })

  test('a closed scope leaves no connection open', async () => {
    const before = openSockets()
    // So many that the last sockets of the test before, which may still be closing, cannot hide a leak.
    for (let time = 0; time < 10; time++) {
      const other = user.place().open()
      await other.read(REAL_IDS, anyLongWhile())
      await other.write(
        [{ targetId: 'a', weightPercent: 10 + time, ttlSeconds: null, urgency: 'revert' }],
        anyLongWhile(),
      )
      await other.close()
    }
    await untilHolds(() => expect(openSockets()).toBeLessThanOrEqual(before))
  })
}

/** Longer than any call of the suite; ends what would hang. */
function anyLongWhile(): AbortSignal {
  return AbortSignal.timeout(120_000)
}

function openSockets(): number {
  return process.getActiveResourcesInfo().filter((kind) => /TCPSocket|PipeWrap|TLSWrap/.test(kind)).length
}

/** Beside the weight, a reading may say what else the kind knows. */
function weight(weightPercent: number): unknown {
  return expect.objectContaining({ kind: 'weight', weightPercent })
}

function missingWhy(why: string): unknown {
  return { kind: 'missing', why, detail: expect.stringMatching(/./) }
}

function failedWith(code: string): unknown {
  return {
    kind: 'failed',
    problem: expect.objectContaining({ code, cause: expect.any(String), hint: expect.any(String) }),
  }
}
