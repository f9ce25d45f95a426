import { describe, expect, test } from 'vitest'
import { trafficConformance } from '../conformance/traffic.ts'
import { type FakeRrset, startGoogleDns } from '../fakes/google-dns.ts'
import {
  bench,
  CANARY,
  change,
  items,
  NEW,
  OLD,
  openZone,
  PLACE,
  plain,
  policy,
  soon,
  weighted,
} from '../support/google-dns.ts'

trafficConformance('google-cloud-dns', {
  canary: CANARY,
  inexpressiblePercents: [],
  async createPlace() {
    const dns = await startGoogleDns(PLACE)
    for (const id of ['a', 'b', 'c']) dns.put(weighted(id, 0))
    return {
      open: () => openZone(dns),
      writeForeign: async (targetId, weightPercent) => dns.put(weighted(targetId, weightPercent)),
      hang: async () => {
        dns.instead = () => true
      },
      stop: dns.stop,
      remove: dns.stop,
    }
  },
})

describe('what a record set says', () => {
  const signed = { signatureRrdatas: ['sig'] }
  test.each<[string, FakeRrset, unknown]>([
    ['a plain record of OLD is 0 %', plain('a', OLD), { kind: 'weight', weightPercent: 0, ttlSeconds: 300 }],
    ['a plain record of NEW is 100 %', plain('a', NEW), { kind: 'weight', weightPercent: 100, ttlSeconds: 300 }],
    ['a stranger’s value is no split', plain('a', '203.0.113.7'), { kind: 'missing', why: 'empty' }],
    [
      'weights of any sum are a share',
      items([
        [3, OLD],
        [1, NEW],
      ]),
      { kind: 'weight', weightPercent: 25 },
    ],
    [
      'a weight that is left out is zero',
      items([
        [1, OLD],
        [undefined, NEW],
      ]),
      { weightPercent: 0 },
    ],
    [
      'a trace for NEW is not 0 %',
      items([
        [1, OLD],
        [0.0001, NEW],
      ]),
      { weightPercent: 0.1 },
    ],
    [
      'all zero is no weight',
      items([
        [0, OLD],
        [0, NEW],
      ]),
      { kind: 'missing', why: 'not-a-number' },
    ],
    [
      'others with traffic are no split',
      items([
        [1, OLD],
        [1, NEW],
        [1, '203.0.113.7'],
      ]),
      { why: 'refused' },
    ],
    [
      'others without traffic do no harm',
      items([
        [1, OLD],
        [1, NEW],
        [0, '203.0.113.7'],
      ]),
      { weightPercent: 50 },
    ],
    [
      'NEW is not there',
      items([
        [1, OLD],
        [1, '203.0.113.7'],
      ]),
      { kind: 'missing', why: 'empty' },
    ],
    ['geo routing has no weights', { ...plain('a', OLD), routingPolicy: { geo: { items: [] } } }, { why: 'refused' }],
    ['signatures do not matter', { ...plain('a', OLD), ...signed }, { weightPercent: 0 }],
    [
      'health-checked addresses are values too',
      policy([
        { weight: 1, rrdatas: [OLD] },
        { weight: 3, healthCheckedTargets: { externalEndpoints: [NEW] } },
      ]),
      { weightPercent: 75 },
    ],
  ])('%s', async (_, rrset, want) => {
    const { read } = await bench([rrset])
    expect(await read()).toMatchObject(want as object)
  })

  test.each<[string, object, FakeRrset]>([
    [
      'names, whatever their case and last dot',
      { type: 'CNAME', old: ['Blue.example.net'], new: ['green.example.net.'] },
      {
        ...policy([
          { weight: 1, rrdatas: ['blue.example.net.'] },
          { weight: 1, rrdatas: ['GREEN.example.net.'] },
        ]),
        type: 'CNAME',
      },
    ],
    [
      'IPv6 addresses, whatever their zeros',
      { type: 'AAAA', old: ['2001:db8:0:0::1'], new: ['2001:DB8::2'] },
      {
        ...policy([
          { weight: 1, rrdatas: ['2001:db8::1'] },
          { weight: 1, rrdatas: ['2001:db8:0::2'] },
        ]),
        type: 'AAAA',
      },
    ],
    [
      'sets, whatever their order',
      { old: [OLD, '192.0.2.11'], new: [NEW] },
      policy([
        { weight: 1, rrdatas: ['192.0.2.11', OLD] },
        { weight: 1, rrdatas: [NEW] },
      ]),
    ],
  ])('sides are found by %s', async (_, parts, rrset) => {
    const { read } = await bench([rrset], ['a'], parts)
    expect(await read()).toMatchObject({ kind: 'weight', weightPercent: 50 })
  })
})

describe('what is written', () => {
  test('weights are decimals with a sum of 1, in one change with what was there', async () => {
    const { write, posts } = await bench([weighted('a', 0)])
    expect(await write(change('a', 12.5))).toEqual({ a: { kind: 'applied' } })
    expect(posts()).toMatchObject([
      {
        deletions: [{ routingPolicy: { wrr: { items: [{ weight: 1 }, { weight: 0 }] } } }],
        additions: [{ ttl: 300, routingPolicy: { wrr: { items: [{ weight: 0.875 }, { weight: 0.125 }] } } }],
      },
    ])
  })

  test('a plain record becomes a weighted one in the same change', async () => {
    const { write, posts, read } = await bench([plain('a', OLD)])
    await write(change('a', 10))
    expect(posts()).toMatchObject([
      {
        deletions: [{ rrdatas: [OLD] }],
        additions: [
          {
            routingPolicy: {
              wrr: {
                items: [
                  { weight: 0.9, rrdatas: [OLD] },
                  { weight: 0.1, rrdatas: [NEW] },
                ],
              },
            },
          },
        ],
      },
    ])
    expect(posts()[0]?.additions[0]).not.toHaveProperty('rrdatas')
    expect(await read()).toMatchObject({ weightPercent: 10 })
  })

  test('a new TTL leaves a plain record plain', async () => {
    const { write, posts, read } = await bench([plain('a', OLD)])
    await write(change('a', 0, { ttlSeconds: 60 }))
    expect(posts()).toMatchObject([{ additions: [{ ttl: 60, rrdatas: [OLD] }] }])
    expect(await read()).toMatchObject({ weightPercent: 0, ttlSeconds: 60 })
  })

  test('weight and TTL go in one change', async () => {
    const { write, posts, read } = await bench([weighted('a', 10)])
    await write(change('a', 25, { ttlSeconds: 60 }))
    expect(posts()).toHaveLength(1)
    expect(await read()).toMatchObject({ weightPercent: 25, ttlSeconds: 60 })
  })

  test('what somebody else set is kept: health checks, other items, their order', async () => {
    const kept = [
      { weight: 0, rrdatas: ['203.0.113.7'] },
      { weight: 0, healthCheckedTargets: { externalEndpoints: [NEW] } },
      { weight: 1, rrdatas: [OLD], signatureRrdatas: ['sig'] },
    ]
    const { write, dns } = await bench([policy(kept)])
    expect(await write(change('a', 40))).toEqual({ a: { kind: 'applied' } })
    expect(dns.rrsets.get('a.example.com. A')?.routingPolicy?.wrr?.items).toEqual([
      { rrdatas: ['203.0.113.7'] },
      { weight: 0.4, healthCheckedTargets: { externalEndpoints: [NEW] } },
      { weight: 0.6, rrdatas: [OLD] },
    ])
  })

  test('a weight that is there is no call that changes', async () => {
    const { write, posts } = await bench([weighted('a', 25)])
    expect(await write(change('a', 25))).toEqual({ a: { kind: 'applied' } })
    expect(posts()).toEqual([])
  })

  test('a record that moved back behind our back is not taken for written', async () => {
    const { write, read, dns } = await bench([weighted('a', 0)])
    await write(change('a', 25))
    dns.put(weighted('a', 0))
    await write(change('a', 25))
    expect(await read()).toMatchObject({ weightPercent: 25 })
  })

  test('what was just written needs no further read', async () => {
    const { write, dns } = await bench([weighted('a', 0)])
    await write(change('a', 25))
    const before = dns.requests.length
    await write(change('a', 0, { urgency: 'revert' }))
    expect(dns.requests.slice(before).map(({ method }) => method)).toEqual(['POST'])
  })

  test('a foreign write in between is seen, not overwritten blindly', async () => {
    const { write, read, dns } = await bench([weighted('a', 0), weighted('b', 0)])
    await read('a')
    await read('b')
    dns.put(weighted('a', 60, { ttl: 30 }))
    expect(await write(change('a', 10), change('b', 10))).toEqual({ a: { kind: 'deferred' }, b: { kind: 'deferred' } })
    expect(await write(change('a', 10), change('b', 10))).toEqual({ a: { kind: 'applied' }, b: { kind: 'applied' } })
    // The TTL of the foreign write is kept.
    expect(await read('a')).toMatchObject({ weightPercent: 10, ttlSeconds: 30 })
  })
})

describe('until it is in force', () => {
  test('a change is pending until all name servers have it', async () => {
    const { write, read, dns } = await bench([weighted('a', 0), weighted('b', 0)])
    await read()
    dns.isInstant = false
    await write(change('a', 10))
    expect(await read('a')).toMatchObject({ weightPercent: 10, pending: expect.stringContaining('name servers') })
    expect(await read('b')).not.toHaveProperty('pending')
    dns.settle()
    expect(await read('a')).not.toHaveProperty('pending')
  })

  test('a change from before the start is found', async () => {
    const { write, dns } = await bench([weighted('a', 0)])
    dns.isInstant = false
    await write(change('a', 10))
    const fresh = openZone(dns)
    const reading = (await fresh.read(['a'], soon())).get('a')
    expect(reading).toMatchObject({ weightPercent: 10, pending: expect.any(String) })
    await fresh.close()
  })

  test('a quiet zone costs one call a read', async () => {
    const { read, dns } = await bench([weighted('a', 0)])
    await read()
    const before = dns.requests.length
    await read()
    expect(dns.requests.length - before).toBe(1)
  })
})
