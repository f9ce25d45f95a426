import { beforeEach, describe, expect, test } from 'vitest'
import { type FakeRoute53, fakePair, fakeRecord } from '../fakes/route53.ts'
import type { FakeRecord } from '../fakes/route53-zone.ts'
import { APPLIED, countOf, reading, SHOP, startZone, useZone, ZONE } from '../support/route53.ts'

const HEALTH_CHECK = 'abcdef11-2222-3333-4444-555555fedcba'
const OTHER_CHECK = 'abcdef11-2222-3333-4444-0000000000ff'
const LB = { zone: 'Z2LB', name: 'new.elb.amazonaws.com.', evaluateTargetHealth: true }

let fake: FakeRoute53
beforeEach(async () => {
  fake = await startZone()
})

describe('a write', () => {
  test.each<[string, number, number, number, readonly string[]]>([
    ['a step sets both siblings', 100, 0, 10, ['blue 90', 'green 10']],
    ['a step to what is there sets nothing', 90, 10, 10, []],
    ['a step to a share that is there by other weights sets nothing', 180, 20, 10, []],
    ['all traffic to NEW sets OLD to 0 alone', 50, 50, 100, ['blue 0']],
    ['all traffic to OLD sets NEW to 0 alone', 90, 10, 0, ['green 0']],
    ['all traffic to OLD sets both where OLD is 0', 0, 100, 0, ['blue 100', 'green 0']],
    ['an even split that all-zero makes is written out', 0, 0, 50, ['blue 50', 'green 50']],
  ])('%s', async (_, old, fresh, weightPercent, lines) => {
    const { write } = useZone(fake, fakePair('shop.example.com', old, fresh))
    expect(await write({ shop: { weightPercent } })).toEqual({ shop: APPLIED })
    expect(fake.written).toEqual(lines.map((line) => `UPSERT shop.example.com. A ${line} ttl=60`))
  })

  test('a revert takes the records as they were last read, whatever their age, in one call', async () => {
    const { readAll, write, clock } = useZone(fake, fakePair('shop.example.com', 75, 25))
    await readAll()
    await clock.advance(3_600_000)
    fake.calls.length = 0
    expect(await write({ shop: { urgency: 'revert' } })).toEqual({ shop: APPLIED })
    expect(fake.calls.map(({ action }) => action)).toEqual(['ChangeResourceRecordSets'])
    expect(fake.written).toEqual(['UPSERT shop.example.com. A green 0 ttl=60'])
  })

  test('a revert is written even where the last read shows it: somebody may have been there since', async () => {
    const { readAll, write } = useZone(fake, fakePair('shop.example.com', 100, 0))
    await readAll()
    fake.seed(ZONE, fakePair('shop.example.com', 60, 40))
    await write({ shop: { urgency: 'revert' } })
    expect(fake.written).toEqual(['UPSERT shop.example.com. A green 0 ttl=60'])
  })

  test('a revert whose records are known does not wait for those of another target', async () => {
    const { read, write } = useZone(
      fake,
      [...fakePair('shop.example.com', 75, 25), ...fakePair('cart.example.com', 90, 10)],
      {
        shop: SHOP,
        cart: { record: 'cart.example.com' },
      },
    )
    await read('shop')
    fake.calls.length = 0
    expect(await write({ cart: { weightPercent: 20 }, shop: { urgency: 'revert' } })).toEqual({
      shop: APPLIED,
      cart: { kind: 'deferred' },
    })
    expect(countOf(fake, 'ListResourceRecordSets')).toBe(0)
  })

  test.each([
    [0, 0],
    [5_000, 0],
    [5_001, 1],
  ])('a step forward %d ms after a read makes %d reads', async (ms, reads) => {
    const { readAll, write, clock } = useZone(fake, fakePair('shop.example.com', 75, 25))
    await readAll()
    await clock.advance(ms)
    fake.calls.length = 0
    await write({ shop: { weightPercent: 50 } })
    expect(countOf(fake, 'ListResourceRecordSets')).toBe(reads)
  })

  test('a step forward after an interval keeps what somebody else changed meanwhile', async () => {
    const { readAll, write, clock } = useZone(fake, fakePair('shop.example.com', 75, 25))
    await readAll()
    fake.seed(ZONE, fakePair('shop.example.com', 75, 25, { values: ['198.51.100.7'] }))
    await clock.advance(30_000)
    await write({ shop: { weightPercent: 50 } })
    expect(fake.records(ZONE).map(({ values, weight }) => [values, weight])).toEqual([
      [['198.51.100.7'], 50],
      [['198.51.100.7'], 50],
    ])
  })

  test('everything but the weight is kept: values, health checks, aliases', async () => {
    fake.addHealthCheck(OTHER_CHECK)
    const records = [
      fakeRecord('shop.example.com', {
        setIdentifier: 'blue',
        weight: 100,
        values: ['192.0.2.9', '192.0.2.1'],
        healthCheck: OTHER_CHECK,
      }),
      fakeRecord('shop.example.com', { setIdentifier: 'green', weight: 0, alias: LB }),
    ]
    const { write } = useZone(fake, records)
    await write({ shop: { weightPercent: 10 } })
    expect(fake.records(ZONE)).toEqual(records.map((record, index) => ({ ...record, weight: index === 0 ? 90 : 10 })))
  })

  test('a TTL is set on both siblings in one call, and an alias is left without one', async () => {
    const { write, read } = useZone(
      fake,
      [
        ...fakePair('shop.example.com', 100, 0),
        fakeRecord('cart.example.com', { setIdentifier: 'blue', weight: 1, alias: LB }),
        fakeRecord('cart.example.com', { setIdentifier: 'green', weight: 0, alias: LB }),
      ],
      { shop: SHOP, cart: { record: 'cart.example.com' } },
    )
    expect(await write({ shop: { ttlSeconds: 20 }, cart: { ttlSeconds: 20 } })).toEqual({
      shop: APPLIED,
      cart: APPLIED,
    })
    expect(fake.written).toEqual([
      'UPSERT shop.example.com. A blue 100 ttl=20',
      'UPSERT shop.example.com. A green 0 ttl=20',
    ])
    expect(await read()).toEqual({ kind: 'weight', weightPercent: 0, ttlSeconds: 20 })
    expect(await read('cart')).toEqual({ kind: 'weight', weightPercent: 0 })
  })

  test.each(['*.example.com', 'Shop.Example.com.'])('the name %s is found and written', async (record) => {
    const { write, read } = useZone(fake, fakePair(record.toLowerCase().replace(/\.$/, ''), 100, 0), {
      shop: { record },
    })
    expect(await write({ shop: { weightPercent: 25 } })).toEqual({ shop: APPLIED })
    expect(await read()).toEqual(reading({ weightPercent: 25 }))
  })
})

describe('a record that has no weights yet', () => {
  const newValues = ['203.0.113.9']

  test.each<[string, object, readonly FakeRecord[], readonly string[]]>([
    [
      'a simple one becomes weighted in one batch',
      { newValues },
      [fakeRecord('shop.example.com')],
      [
        'DELETE shop.example.com. A ttl=60',
        'CREATE shop.example.com. A blue 90 ttl=60',
        'CREATE shop.example.com. A green 10 ttl=60',
      ],
    ],
    [
      'a simple alias gets an alias beside it',
      { newAlias: { zone: 'Z3', name: 'lb.example.net' } },
      [fakeRecord('shop.example.com', { alias: LB })],
      ['DELETE shop.example.com. A', 'CREATE shop.example.com. A blue 90', 'CREATE shop.example.com. A green 10'],
    ],
    [
      'a missing sibling is created',
      { newValues },
      [fakeRecord('shop.example.com', { setIdentifier: 'blue', weight: 100 })],
      ['UPSERT shop.example.com. A blue 90 ttl=60', 'CREATE shop.example.com. A green 10 ttl=60'],
    ],
  ])('%s with the first step, and reads as 0 %% until then', async (_, settings, records, lines) => {
    const { read, write } = useZone(fake, records, { shop: { ...SHOP, ...settings } })
    expect(await read()).toEqual(reading({ weightPercent: 0 }))
    expect(await write({ shop: {} })).toEqual({ shop: APPLIED })
    expect(fake.written).toEqual([])
    expect(await write({ shop: { weightPercent: 10 } })).toEqual({ shop: APPLIED })
    expect(fake.written).toEqual(lines)
    expect(await read()).toEqual(reading({ weightPercent: 10 }))
  })

  test('is converted at 0 % where TTLs are lowered first, with equal TTLs', async () => {
    const { write } = useZone(fake, [fakeRecord('shop.example.com', { ttlSeconds: 3600 })], {
      shop: { ...SHOP, newValues },
    })
    await write({ shop: { ttlSeconds: 20 } })
    expect(fake.written).toEqual([
      'DELETE shop.example.com. A ttl=3600',
      'CREATE shop.example.com. A blue 100 ttl=20',
      'CREATE shop.example.com. A green 0 ttl=20',
    ])
  })

  test('and was made weighted by a call whose answer was lost is read before it is reverted', async () => {
    const { read, write } = useZone(fake, [fakeRecord('shop.example.com')], { shop: { ...SHOP, newValues } })
    await read()
    fake.fault = () => 'lost-answer'
    await write({ shop: { weightPercent: 10 } })
    fake.fault = null
    expect(await write({ shop: { urgency: 'revert' } })).toEqual({ shop: APPLIED })
    expect(fake.written.at(-1)).toBe('UPSERT shop.example.com. A green 0 ttl=60')
  })

  test.each([false, true])(
    'is read anew when it is not simple any more, and nothing is lost (told by a list: %j)',
    async (byList) => {
      fake.refusesByList = byList
      const { read, write } = useZone(fake, [fakeRecord('shop.example.com')], { shop: { ...SHOP, newValues } })
      await read()
      fake.seed(ZONE, [fakeRecord('shop.example.com', { values: ['198.51.100.7'] })])
      expect(await write({ shop: { weightPercent: 10 } })).toMatchObject({
        shop: {
          kind: 'failed',
          problem: { code: 'TRAFFIC_CONFLICT', cause: expect.stringContaining('do not match the current values') },
        },
      })
      expect(await write({ shop: { weightPercent: 10 } })).toEqual({ shop: APPLIED })
      expect(fake.records(ZONE).map(({ values }) => values)).toEqual([['198.51.100.7'], newValues])
    },
  )
})

describe('the failover', () => {
  const settings = { shop: { ...SHOP, failover: { healthCheck: HEALTH_CHECK } } }
  beforeEach(() => {
    fake.addHealthCheck(HEALTH_CHECK)
    fake.addHealthCheck(OTHER_CHECK)
  })

  test("gives NEW's record its health check with a weight, and leaves it at a revert", async () => {
    const { write } = useZone(fake, fakePair('shop.example.com', 100, 0), settings)
    await write({ shop: { weightPercent: 10 } })
    await write({ shop: { urgency: 'revert' } })
    expect(fake.written).toEqual([
      'UPSERT shop.example.com. A blue 90 ttl=60',
      `UPSERT shop.example.com. A green 10 ttl=60 health=${HEALTH_CHECK}`,
      `UPSERT shop.example.com. A green 0 ttl=60 health=${HEALTH_CHECK}`,
    ])
  })

  test('replaces no other health check, and lets a revert pass', async () => {
    const { write, inspect } = useZone(
      fake,
      fakePair('shop.example.com', 75, 25, { healthCheck: OTHER_CHECK }),
      settings,
    )
    expect(await write({ shop: { weightPercent: 50 } })).toMatchObject({
      shop: { problem: { code: 'TRAFFIC_UNEQUAL', hint: expect.stringContaining('calculated') } },
    })
    expect(fake.written).toEqual([])
    expect(await inspect()).toEqual([expect.stringContaining('fail TRAFFIC_UNEQUAL')])
    expect(await write({ shop: { urgency: 'revert' } })).toEqual({ shop: APPLIED })
    expect(fake.written).toEqual([`UPSERT shop.example.com. A green 0 ttl=60 health=${OTHER_CHECK}`])
  })

  test('whose health check is not there is found', async () => {
    const { inspect } = useZone(fake, fakePair('shop.example.com', 1, 0), {
      shop: { ...SHOP, failover: { healthCheck: 'gone' } },
    })
    expect(await inspect()).toEqual(['fail TRAFFIC_NOT_FOUND: there is no health check gone, which `failover` names'])
  })
})
