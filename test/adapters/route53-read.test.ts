import { beforeEach, describe, expect, test } from 'vitest'
import { type FakeRoute53, fakePair, fakeRecord } from '../fakes/route53.ts'
import type { FakeRecord } from '../fakes/route53-zone.ts'
import { countOf, type Route53Targets, reading, SHOP, startZone, useZone, ZONE } from '../support/route53.ts'
import { until } from '../support/until.ts'

const LB = { zone: 'Z2LB', name: 'new.elb.amazonaws.com.', evaluateTargetHealth: true }

let fake: FakeRoute53
beforeEach(async () => {
  fake = await startZone()
})

describe('a reading is missing', () => {
  const A = { setIdentifier: 'blue', weight: 1 }
  test.each<[string, readonly FakeRecord[], object, string]>([
    ['without a record', [], {}, 'no record of the name shop.example.com'],
    ['without NEW', [fakeRecord('shop.example.com', A)], {}, 'SetIdentifier green; it has blue'],
    ['for a simple record without `newValues`', [fakeRecord('shop.example.com')], {}, 'simple record'],
    [
      'for another routing policy',
      [fakeRecord('shop.example.com', { setIdentifier: 'blue', otherRouting: 'Region' })],
      {},
      'routed by latency',
    ],
    [
      'where two types have the name',
      [
        ...fakePair('shop.example.com', 1, 0),
        ...fakePair('shop.example.com', 1, 0, { type: 'AAAA', values: ['2001:db8::1'] }),
      ],
      {},
      'types A and AAAA',
    ],
    ['where the type is not there', fakePair('shop.example.com', 1, 0), { type: 'CNAME' }, 'no CNAME record'],
    [
      'where a third record gets a part',
      [...fakePair('shop.example.com', 1, 0), fakeRecord('shop.example.com', { setIdentifier: 'red', weight: 1 })],
      {},
      'the record red of shop.example.com gets a part',
    ],
  ])('%s', async (_, records, settings, words) => {
    const { read } = useZone(fake, records, { shop: { ...SHOP, ...settings } })
    expect(await read()).toMatchObject({ kind: 'missing', detail: expect.stringContaining(words) })
  })
})

describe('a reading', () => {
  test('is an even split where both weights are 0, as Route 53 answers then', async () => {
    expect(await useZone(fake, fakePair('shop.example.com', 0, 0)).read()).toEqual(reading({ weightPercent: 50 }))
  })

  test.each([
    ['20s', {}],
    ['60s', { ttlSeconds: 60 }],
    ['keep', { ttlSeconds: 60 }],
  ])('of an alias with `ttl: %s` tells %j', async (ttl, parts) => {
    const { read } = useZone(fake, fakePair('shop.example.com', 75, 25, { alias: LB, ttlSeconds: null, values: [] }), {
      shop: { ...SHOP, ttl },
    })
    expect(await read()).toEqual({ kind: 'weight', weightPercent: 25, ...parts })
  })

  test('takes the type that is named, where there are two', async () => {
    const both = [
      ...fakePair('shop.example.com', 75, 25),
      ...fakePair('shop.example.com', 90, 10, { type: 'AAAA', values: ['2001:db8::1'] }),
    ]
    const { read } = useZone(fake, both, { a: { ...SHOP, type: 'A' }, aaaa: { ...SHOP, type: 'AAAA' } })
    expect([await read('a'), await read('aaaa')]).toEqual([
      reading({ weightPercent: 25 }),
      reading({ weightPercent: 10 }),
    ])
  })

  test('is pending until the change is INSYNC, and is then not asked about again', async () => {
    fake = await startZone({ pendingMs: null })
    const { read, write } = useZone(fake, fakePair('shop.example.com', 100, 0))
    await write({ shop: { weightPercent: 10 } })
    expect(await read()).toEqual(
      reading({ weightPercent: 10, pending: 'Route 53 has not yet told all its servers (change C000001 is PENDING)' }),
    )
    fake.sync()
    expect(await read()).toEqual({ kind: 'weight', weightPercent: 10, ttlSeconds: 60 })
    await read()
    expect(countOf(fake, 'GetChange')).toBe(2)
  })

  test('is pending for a minute where the acknowledgement was lost', async () => {
    const { read, write, clock } = useZone(fake, fakePair('shop.example.com', 100, 0))
    fake.fault = (action) => (action === 'ChangeResourceRecordSets' ? 'lost-answer' : null)
    expect(await write({ shop: { weightPercent: 10 } })).toMatchObject({
      shop: { problem: { code: 'TRAFFIC_UNREACHABLE' } },
    })
    expect(await read()).toEqual(
      reading({ weightPercent: 10, pending: expect.stringContaining('did not acknowledge') }),
    )
    await clock.advance(60_000)
    expect(await read()).toEqual({ kind: 'weight', weightPercent: 10, ttlSeconds: 60 })
  })

  test.each([
    ['of the same name', 'shop.example.com', {}, true],
    ['of the type and name', 'a-shop.example.com', {}, true],
    ['with a prefix of its own', 'extdns.cname-shop.example.com', {}, true],
    ['of the sibling', 'a-shop.example.com', { setIdentifier: 'green', weight: 0 }, true],
    ['of a third sibling', 'a-shop.example.com', { setIdentifier: 'red', weight: 0 }, false],
    ['of another name', 'a-workshop.example.com', {}, false],
  ])("external-dns's TXT record %s: %s %j names another writer: %s", async (_, name, parts, isTold) => {
    const value = '"heritage=external-dns,external-dns/owner=blue-cluster,external-dns/resource=ingress/shop/web"'
    const { inspect } = useZone(fake, [
      ...fakePair('shop.example.com', 1, 0),
      fakeRecord(name, { type: 'TXT', values: [value], ...parts }),
    ])
    const told = expect.stringMatching(
      /^warn TRAFFIC_OTHER_WRITER: external-dns \(owner blue-cluster\).*ingress\/shop\/web.*--policy=create-only.*aws-weight/,
    )
    expect(await inspect()).toEqual(isTold ? [told] : [])
  })

  test('names external-dns where its TXT record comes along', async () => {
    const value = '"heritage=external-dns,external-dns/owner=me,external-dns/resource=service/shop/web"'
    const { read } = useZone(fake, [
      ...fakePair('shop.example.com', 1, 0),
      fakeRecord('shop.example.com', { type: 'TXT', values: [value] }),
    ])
    expect(await read()).toEqual(reading({ otherWriter: expect.stringContaining('external-dns (owner me)') }))
  })
})

describe('a read of many names', () => {
  const labels = Array.from({ length: 700 }, (_, n) => `w${String(n).padStart(3, '0')}`)
  const zone = () => labels.flatMap((label) => fakePair(`${label}.example.com`, 75, 25))
  const targetsOf = (some: readonly string[]): Route53Targets =>
    Object.fromEntries(some.map((label) => [label, { record: `${label}.example.com` }]))

  test.each<[string, readonly string[], number]>([
    ['all of them: as many calls as pages', labels, 5],
    ['two next to each other: one call', ['w100', 'w101'], 1],
    ['two far from each other: two calls', ['w000', 'w699'], 2],
    ['one that is not there: one call', ['zzz'], 1],
  ])('%s', async (_, some, calls) => {
    const { readAll } = useZone(fake, zone(), targetsOf(some))
    const readings = await readAll()
    expect([...readings.values()].filter(({ kind }) => kind === 'weight')).toHaveLength(
      some.includes('zzz') ? 0 : some.length,
    )
    expect(fake.calls).toHaveLength(calls)
  })

  test('a name with more records than a page holds is read to its end', async () => {
    const siblings = Array.from({ length: 99 }, (_, n) =>
      fakeRecord('shop.example.com', { setIdentifier: `m${n}`, weight: 0 }),
    )
    const texts = ['AAAA', 'CAA', 'MX'].flatMap((type) => siblings.map((record) => ({ ...record, type })))
    const { read } = useZone(fake, [...texts, ...siblings.slice(0, 98), ...fakePair('shop.example.com', 75, 25)], {
      shop: { ...SHOP, type: 'A' },
    })
    fake.seed(ZONE, fakePair('shop.example.com', 75, 25, { type: 'TXT', values: ['"x"'] }))
    expect(await read()).toEqual(reading({ weightPercent: 25 }))
    expect(fake.calls).toHaveLength(2)
  })

  test('takes each call from the quota, and is given up with the signal while it waits for one', async () => {
    const { scope } = useZone(fake, zone(), targetsOf(['w000', 'w699']), { quota: { callsPerSecond: 0.01, burst: 2 } })
    const deadline = new AbortController()
    const readings = scope.read(['w000', 'w699'], deadline.signal)
    await until('the first call', () => fake.calls.length > 0)
    deadline.abort()
    expect((await readings).get('w699')).toMatchObject({ kind: 'missing', why: 'timeout' })
    expect(fake.calls).toHaveLength(1)
  })
})

describe('an inspection finds', () => {
  test.each<[string, readonly FakeRecord[], object, readonly string[]]>([
    ['nothing where all is well', fakePair('shop.example.com', 1, 0), {}, []],
    ['a missing record', [], {}, ['fail TRAFFIC_NOT_FOUND']],
    ['a simple record', [fakeRecord('shop.example.com')], {}, ['fail TRAFFIC_WRONG_TYPE']],
    [
      'unequal TTLs',
      [
        fakeRecord('shop.example.com', { setIdentifier: 'blue', weight: 1 }),
        fakeRecord('shop.example.com', { setIdentifier: 'green', weight: 0, ttlSeconds: 300 }),
      ],
      {},
      ['fail TRAFFIC_UNEQUAL'],
    ],
    [
      'an alias whose TTL nobody waits out',
      fakePair('shop.example.com', 1, 0, { alias: LB, ttlSeconds: null, values: [] }),
      {},
      ['warn TRAFFIC_WRONG_TYPE'],
    ],
    [
      'no fault in an alias whose TTL is waited out',
      fakePair('shop.example.com', 1, 0, { alias: LB, ttlSeconds: null, values: [] }),
      { ttl: 'keep' },
      [],
    ],
  ])('%s', async (_, records, settings, codes) => {
    const { inspect } = useZone(fake, records, { shop: { ...SHOP, ...settings } })
    expect((await inspect()).map((line) => line.split(':')[0])).toEqual(codes)
    expect(fake.written).toEqual([])
  })

  test.each<[string, () => void, string]>([
    [
      'wrong credentials',
      () => fake.accessKeys.clear(),
      'fail TRAFFIC_NO_CREDENTIALS: no credentials that Route 53 takes: InvalidClientTokenId',
    ],
    [
      'what is not allowed, by name',
      () => void fake.forbidden.add('ListResourceRecordSets'),
      'fail TRAFFIC_FORBIDDEN: Route 53 does not allow route53:ListResourceRecordSets: AccessDenied: ',
    ],
  ])('%s', async (_, breakIt, line) => {
    const { inspect } = useZone(fake, fakePair('shop.example.com', 1, 0))
    breakIt()
    expect(await inspect()).toEqual([expect.stringContaining(line)])
  })

  test('a zone that is not there', async () => {
    const { inspect } = useZone(fake, [], { shop: { ...SHOP, zone: 'Z9' } })
    expect(await inspect()).toEqual([
      'fail TRAFFIC_NOT_FOUND: Route 53 says NoSuchHostedZone: No hosted zone found with ID: Z9',
    ])
  })
})
