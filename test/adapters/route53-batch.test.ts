import type { Change, ResourceRecordSet } from '@aws-sdk/client-route-53'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { Problem } from '../../src/core/problem.ts'
import type { WeightChange } from '../../src/ports/traffic.ts'
import { sharePercent } from '../../src/traffic/ratio.ts'
import { fillBatch, sizeOf } from '../../src/traffic/route53/batch.ts'
import type { Place } from '../../src/traffic/route53/place.ts'
import { nearestWeights, planChange } from '../../src/traffic/route53/plan.ts'
import { route53Settings } from '../../src/traffic/route53/settings.ts'
import { type FakeRoute53, fakePair } from '../fakes/route53.ts'
import type { FakeRecord } from '../fakes/route53-zone.ts'
import { countOf, type Route53User, startZone, useZone, ZONE } from '../support/route53.ts'

const LIMITS = { records: 1000, characters: 32_000 }
let fake: FakeRoute53
beforeEach(async () => {
  fake = await startZone()
})

const labels = Array.from({ length: 1000 }, (_, n) => `w${String(n).padStart(4, '0')}`)
const targets = Object.fromEntries(labels.map((label) => [label, { record: `${label}.example.com` }]))

function pairs(parts: Partial<FakeRecord> = {}): readonly FakeRecord[] {
  return labels.flatMap((label) => fakePair(`${label}.example.com`, 75, 25, parts))
}

/** Asks for the same change of all until nothing is deferred; gives the calls of `write`. */
async function writeAll({ write }: Route53User, change: Partial<WeightChange>): Promise<number> {
  let left: readonly string[] = labels
  for (let calls = 0; ; calls++) {
    if (left.length === 0) return calls
    const answer = await write(Object.fromEntries(left.map((id) => [id, change])))
    left = left.filter((id) => answer[id]?.kind === 'deferred')
  }
}

describe('a mass revert', () => {
  test.each<[string, Partial<FakeRecord>, number]>([
    ['with an address each takes two calls', {}, 2],
    ['as CNAMEs of 70 characters takes five calls', { type: 'CNAME', values: ['x'.repeat(70)] }, 5],
    ['with three addresses each takes seven calls', { values: ['192.0.2.1', '192.0.2.2', '192.0.2.3'] }, 7],
    [
      'as aliases takes two calls',
      { alias: { zone: 'Z2', name: 'lb.example.net.', evaluateTargetHealth: true }, ttlSeconds: null, values: [] },
      2,
    ],
  ])('of 1,000 workloads %s', async (_, parts, calls) => {
    const user = useZone(fake, pairs(parts), targets)
    await user.readAll()
    expect(await writeAll(user, { urgency: 'revert' })).toBe(calls)
    expect(countOf(fake, 'ChangeResourceRecordSets')).toBe(calls)
    expect(fake.written).toHaveLength(1000)
  })
})

describe('a call for 1,000 workloads whose records are not known', () => {
  test.each([
    ['step', { weightPercent: 50 }, 250, 2],
    ['revert', { urgency: 'revert' as const }, 500, 4],
  ])('reads for a %s only what it can write', async (_, change, written, pages) => {
    const user = useZone(fake, pairs(), targets)
    const answer = await user.write(Object.fromEntries(labels.map((id) => [id, change])))
    expect(countOf(fake, 'ListResourceRecordSets')).toBe(pages)
    const done = labels.filter((id) => answer[id]?.kind === 'applied')
    expect(done).toEqual(labels.slice(0, written))
    expect(labels.filter((id) => answer[id]?.kind === 'deferred')).toEqual(labels.slice(written))
  })

  test('does not read more where what is known fills it already', async () => {
    const user = useZone(fake, pairs(), targets)
    await user.scope.read(labels.slice(0, 300), AbortSignal.timeout(120_000))
    fake.calls.length = 0
    await user.write(Object.fromEntries(labels.map((id) => [id, { weightPercent: 50 }])))
    expect(fake.calls.map(({ action }) => action)).toEqual(['ChangeResourceRecordSets'])
  })

  test('gets on to the last of them, each change made once', async () => {
    const user = useZone(fake, pairs(), targets)
    expect(await writeAll(user, { weightPercent: 50 })).toBe(4)
    expect(fake.written).toHaveLength(2000)
    expect(new Set(fake.records(ZONE).map(({ weight }) => weight)).size).toBe(1)
  })

  test('gets on also with limits that have room for no usual change', async () => {
    const user = useZone(fake, pairs(), targets, { batch: { records: 2 } })
    const answer = await user.write({ w0007: { urgency: 'revert' }, w0003: { urgency: 'revert' } })
    expect(answer).toEqual({ w0003: { kind: 'applied' }, w0007: { kind: 'deferred' } })
  })
})

describe('a batch', () => {
  const plans = fc
    .array(fc.record({ values: fc.array(fc.string({ maxLength: 4000 }), { maxLength: 300 }), isNew: fc.boolean() }), {
      maxLength: 40,
    })
    .map((all) =>
      all.map(({ values, isNew }, index) => {
        const record = {
          Name: 'a.example.com',
          Type: 'A',
          ResourceRecords: values.map((Value) => ({ Value })),
        } as const
        const changes: Change[] = [{ Action: isNew ? 'CREATE' : 'UPSERT', ResourceRecordSet: record }]
        return { targetId: String(index), changes, place: PLACE }
      }),
    )

  test('keeps to the limits, or is a single change that AWS is to judge', () => {
    fc.assert(
      fc.property(plans, (all) => {
        const batch = fillBatch(all, LIMITS, () => Number.POSITIVE_INFINITY)
        const { records, characters } = sizeOf(batch.flatMap(({ changes }) => changes))
        expect(batch.length > 0 || all.length === 0).toBe(true)
        expect(batch.length === 1 || (records <= LIMITS.records && characters <= LIMITS.characters)).toBe(true)
      }),
    )
  })

  test('leaves out nothing that has room', () => {
    fc.assert(
      fc.property(plans, (all) => {
        const batch = fillBatch(all, LIMITS, () => Number.POSITIVE_INFINITY)
        const used = sizeOf(batch.flatMap(({ changes }) => changes))
        for (const { changes } of all.filter((plan) => !batch.includes(plan))) {
          const more = sizeOf(changes)
          expect(
            used.records + more.records > LIMITS.records || used.characters + more.characters > LIMITS.characters,
          ).toBe(true)
        }
      }),
    )
  })

  test('holds no more suspects than may be together', () => {
    fc.assert(
      fc.property(plans, fc.array(fc.integer({ min: 1, max: 8 }), { minLength: 40, maxLength: 40 }), (all, limits) => {
        const batch = fillBatch(all, LIMITS, (id) => limits[Number(id)] ?? 1)
        for (const { targetId } of batch) expect(batch.length).toBeLessThanOrEqual(limits[Number(targetId)] ?? 1)
      }),
    )
  })
})

const RECORD: ResourceRecordSet = {
  Name: 'a.example.com.',
  Type: 'A',
  TTL: 60,
  ResourceRecords: [{ Value: '192.0.2.1' }],
}
const PLACE: Place = placeWith(100, 0)

function placeWith(old: number, fresh: number): Place {
  return {
    siblings: {
      old: { ...RECORD, SetIdentifier: 'blue', Weight: old },
      new: { ...RECORD, SetIdentifier: 'green', Weight: fresh },
    },
    absent: [],
    simple: null,
    strangers: [],
  }
}

describe('a plan', () => {
  const settings = route53Settings.parse({ zone: 'Z1', record: 'a.example.com', old: 'blue', new: 'green' })
  const weight = fc.integer({ min: 0, max: 255 })
  const wanted = fc.integer({ min: 0, max: 1000 }).map((permille) => permille / 10)

  test('from any weights to any gives that share, or says which ones are near; OLD is 0 at 100 % alone', () => {
    fc.assert(
      fc.property(weight, weight, wanted, fc.boolean(), (old, fresh, weightPercent, isFresh) => {
        const change = { targetId: 'a', weightPercent, ttlSeconds: null, urgency: 'forward' } as const
        const plan = planChange(change, settings, placeWith(old, fresh), isFresh)
        if (plan instanceof Problem) {
          expect(nearestWeights(weightPercent)).not.toContain(weightPercent)
          return
        }
        const after = { old: plan.place.siblings.old.Weight, new: plan.place.siblings.new.Weight }
        expect(sharePercent(after)).toBe(weightPercent)
        expect(after.old === 0).toBe(weightPercent === 100)
        for (const { ResourceRecordSet: set } of plan.changes)
          expect({ ...set, Weight: 0, SetIdentifier: '' }).toEqual({ ...RECORD, Weight: 0, SetIdentifier: '' })
      }),
    )
  })

  test.each([
    [0.1, [0, 0.4]],
    [0.3, [0, 0.4]],
    [0.4, [0.4]],
    [50, [50]],
    [99.7, [99.6, 100]],
  ])('%d %% has the nearest weights %j', (percent, nearest) => {
    expect(nearestWeights(percent)).toEqual(nearest)
  })
})
