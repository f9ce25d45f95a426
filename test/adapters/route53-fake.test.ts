import type { Change, ListResourceRecordSetsCommandOutput, ResourceRecordSet, Route53 } from '@aws-sdk/client-route-53'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import {
  FAKE_ACCESS_KEY,
  type FakeRoute53,
  type FakeRoute53Options,
  fakePair,
  fakeRecord,
  startFakeRoute53,
} from '../fakes/route53.ts'

const ZONE = 'Z0FAKE'
const HEALTH_CHECK = 'abcdef11-2222-3333-4444-555555fedcba'

let fake: FakeRoute53
let client: Route53

async function start(options: FakeRoute53Options = {}): Promise<void> {
  const sdk = await import('@aws-sdk/client-route-53')
  fake = await startFakeRoute53(options)
  fake.addZone(ZONE, 'example.com')
  fake.seed(ZONE, [
    ...fakePair('pair.example.com', 100, 0),
    fakeRecord('simple.example.com'),
    fakeRecord('latency.example.com', { setIdentifier: 'eu', otherRouting: 'Region' }),
    ...fakePair('name.example.com', 1, 1, { type: 'CNAME', values: ['x.example.net'] }),
  ])
  client = new sdk.Route53({
    endpoint: fake.url,
    region: 'us-east-1',
    credentials: { accessKeyId: FAKE_ACCESS_KEY, secretAccessKey: 'none' },
    maxAttempts: 1,
  })
}

beforeEach(() => start())
afterEach(async () => {
  client.destroy()
  await fake.stop()
})

function change(...changes: readonly [Change['Action'], Partial<ResourceRecordSet>][]): Promise<unknown> {
  const Changes = changes.map(([Action, parts]): Change => ({ Action, ResourceRecordSet: set(parts) }))
  return client.changeResourceRecordSets({ HostedZoneId: ZONE, ChangeBatch: { Changes } })
}

/** By default green of pair.example.com, as it is, with a weight of 10. */
function set(parts: Partial<ResourceRecordSet> = {}): ResourceRecordSet {
  return {
    Name: 'pair.example.com',
    Type: 'A',
    SetIdentifier: 'green',
    Weight: 10,
    TTL: 60,
    ResourceRecords: [{ Value: '192.0.2.2' }],
    ...parts,
  }
}

const SIMPLE = {
  Name: 'simple.example.com',
  SetIdentifier: undefined,
  Weight: undefined,
  ResourceRecords: [{ Value: '192.0.2.1' }],
}
const VALUES = (count: number) => Array.from({ length: count }, (_, n) => ({ Value: `10.0.${n >> 8}.${n & 255}` }))
const BLUE = { SetIdentifier: 'blue', Weight: 100, ResourceRecords: [{ Value: '192.0.2.1' }] }

describe('the fake of Route 53 takes', () => {
  test.each<[string, readonly [Change['Action'], Partial<ResourceRecordSet>][]]>([
    ['a weight of 0', [['UPSERT', { Weight: 0 }]]],
    ['a weight of 255', [['UPSERT', { Weight: 255 }]]],
    ['500 values in an UPSERT', [['UPSERT', { ResourceRecords: VALUES(500) }]]],
    ['1,000 values in a CREATE', [['CREATE', { ...SIMPLE, Name: 'many.example.com', ResourceRecords: VALUES(1000) }]]],
    [
      'both TTLs changed together',
      [
        ['UPSERT', { TTL: 20 }],
        ['UPSERT', { ...BLUE, TTL: 20 }],
      ],
    ],
    ['a third sibling', [['CREATE', { SetIdentifier: 'red' }]]],
    ['a DELETE of all that is there', [['DELETE', { Weight: 0 }]]],
    [
      'a simple record made weighted in one batch',
      [
        ['DELETE', SIMPLE],
        ['CREATE', { ...SIMPLE, SetIdentifier: 'blue', Weight: 1 }],
        ['CREATE', { ...SIMPLE, SetIdentifier: 'green', Weight: 0 }],
      ],
    ],
  ])('%s', async (_, changes) => {
    await change(...changes)
    expect(fake.written).toHaveLength(changes.length)
  })
})

describe('the fake of Route 53 refuses', () => {
  test.each<[string, string, readonly [Change['Action'], Partial<ResourceRecordSet>][]]>([
    ['a weight of 256', 'InvalidInput', [['UPSERT', { Weight: 256 }]]],
    [
      '501 values in an UPSERT, each counted twice',
      'InvalidChangeBatch',
      [['UPSERT', { ResourceRecords: VALUES(501) }]],
    ],
    [
      '1,001 values in a CREATE',
      'InvalidChangeBatch',
      [['CREATE', { ...SIMPLE, Name: 'many.example.com', ResourceRecords: VALUES(1001) }]],
    ],
    [
      '16,001 characters in an UPSERT, each counted twice',
      'InvalidChangeBatch',
      [['UPSERT', { Name: 'name.example.com', Type: 'CNAME', ResourceRecords: [{ Value: 'x'.repeat(16_001) }] }]],
    ],
    ['the TTL of one sibling alone', 'InvalidChangeBatch', [['UPSERT', { TTL: 20 }]]],
    [
      'a weight without a SetIdentifier',
      'InvalidChangeBatch',
      [['CREATE', { Name: 'new.example.com', SetIdentifier: undefined }]],
    ],
    [
      'a SetIdentifier without a weight',
      'InvalidChangeBatch',
      [['CREATE', { Name: 'new.example.com', Weight: undefined }]],
    ],
    ['a weighted record beside a simple one', 'InvalidChangeBatch', [['CREATE', { Name: 'simple.example.com' }]]],
    [
      'an UPSERT of a simple record into a weighted one',
      'InvalidChangeBatch',
      [['UPSERT', { Name: 'simple.example.com' }]],
    ],
    ['a weighted record beside one of latency', 'InvalidChangeBatch', [['CREATE', { Name: 'latency.example.com' }]]],
    ['a CREATE of what is there', 'InvalidChangeBatch', [['CREATE', {}]]],
    ['a DELETE of what is not there', 'InvalidChangeBatch', [['DELETE', { SetIdentifier: 'red' }]]],
    ['a DELETE with another weight', 'InvalidChangeBatch', [['DELETE', { Weight: 1 }]]],
    ['a DELETE with another TTL', 'InvalidChangeBatch', [['DELETE', { Weight: 0, TTL: 61 }]]],
    [
      'the same change twice',
      'InvalidChangeBatch',
      [
        ['UPSERT', {}],
        ['UPSERT', {}],
      ],
    ],
    ['a name of another zone', 'InvalidChangeBatch', [['CREATE', { Name: 'pair.example.net' }]]],
    ['what is no address', 'InvalidChangeBatch', [['UPSERT', { ResourceRecords: [{ Value: 'here' }] }]]],
    [
      'an alias with a TTL',
      'InvalidChangeBatch',
      [
        [
          'UPSERT',
          {
            ResourceRecords: undefined,
            AliasTarget: { HostedZoneId: 'Z2', DNSName: 'lb.example.net', EvaluateTargetHealth: true },
          },
        ],
      ],
    ],
    ['a health check that is not there', 'NoSuchHealthCheck', [['UPSERT', { HealthCheckId: HEALTH_CHECK }]]],
    [
      '101 siblings',
      'InvalidChangeBatch',
      Array.from({ length: 99 }, (_, n): [Change['Action'], Partial<ResourceRecordSet>] => [
        'CREATE',
        { SetIdentifier: `more-${n}` },
      ]),
    ],
  ])('%s, and all else in the batch', async (_, name, changes) => {
    const before = fake.records(ZONE)
    await expect(change(['CREATE', { Name: 'good.example.com' }], ...changes)).rejects.toMatchObject({ name })
    expect(fake.records(ZONE)).toEqual(before)
    expect(fake.written).toEqual([])
  })

  test('credentials that it does not know', async () => {
    fake.accessKeys.clear()
    await expect(change(['UPSERT', {}])).rejects.toMatchObject({ name: 'InvalidClientTokenId' })
  })

  test('an action that is not allowed, and names it', async () => {
    fake.forbidden.add('ChangeResourceRecordSets')
    await expect(change(['UPSERT', {}])).rejects.toMatchObject({
      name: 'AccessDenied',
      message: expect.stringContaining('route53:ChangeResourceRecordSets'),
    })
  })

  test('a zone and a change that are not there', async () => {
    await expect(client.listResourceRecordSets({ HostedZoneId: 'Z9' })).rejects.toMatchObject({
      name: 'NoSuchHostedZone',
    })
    await expect(client.getChange({ Id: 'C9' })).rejects.toMatchObject({ name: 'NoSuchChange' })
  })
})

describe('the fake of Route 53', () => {
  test('lists by reversed labels, the dot at the end included, then by type and SetIdentifier', async () => {
    fake.seed(
      ZONE,
      ['b.a', 'a-b', 'a', 'c'].map((label) => fakeRecord(`${label}.list.example.com`)),
    )
    fake.seed(ZONE, [fakeRecord('a.list.example.com', { type: 'AAAA', values: ['2001:db8::1'] })])
    const { ResourceRecordSets: sets = [] } = await client.listResourceRecordSets({
      HostedZoneId: ZONE,
      StartRecordName: 'a-b.list.example.com',
    })
    expect(sets.slice(0, 5).map(({ Name, Type }) => `${Name} ${Type}`)).toEqual([
      'a-b.list.example.com. A',
      'a.list.example.com. A',
      'a.list.example.com. AAAA',
      'b.a.list.example.com. A',
      'c.list.example.com. A',
    ])
  })

  test('gives pages that lead through all records, each once', async () => {
    const names: (string | undefined)[] = []
    let start: object | null = {}
    while (start) {
      const page: ListResourceRecordSetsCommandOutput = await client.listResourceRecordSets({
        HostedZoneId: ZONE,
        MaxItems: 2,
        ...start,
      })
      names.push(...(page.ResourceRecordSets ?? []).map(({ Name, SetIdentifier }) => `${Name} ${SetIdentifier}`))
      start = page.IsTruncated
        ? {
            StartRecordName: page.NextRecordName,
            StartRecordType: page.NextRecordType,
            StartRecordIdentifier: page.NextRecordIdentifier,
          }
        : null
    }
    expect(names).toHaveLength(6)
    expect(new Set(names).size).toBe(6)
  })

  test('has a change PENDING until it is told to have it INSYNC', async () => {
    client.destroy()
    await fake.stop()
    await start({ pendingMs: null })
    await change(['UPSERT', {}])
    expect((await client.getChange({ Id: 'C000001' })).ChangeInfo?.Status).toBe('PENDING')
    fake.sync()
    expect((await client.getChange({ Id: 'C000001' })).ChangeInfo?.Status).toBe('INSYNC')
  })

  test('makes one change of a zone at a time', async () => {
    client.destroy()
    await fake.stop()
    await start({ latencyMs: 30 })
    const outcomes = await Promise.allSettled([change(['UPSERT', {}]), change(['UPSERT', { ...BLUE, Weight: 90 }])])
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(fake.calls.map(({ outcome }) => outcome).sort()).toEqual(['PriorRequestNotComplete', 'ok'])
  })

  test('takes as many calls at once as its bucket holds, and then as many as come in', async () => {
    client.destroy()
    await fake.stop()
    let nowMs = 0
    await start({ rate: { perSecond: 10, burst: 50 }, nowMs: () => nowMs })
    const outcomes = async (count: number) => {
      const calls = await Promise.allSettled(Array.from({ length: count }, () => client.getHostedZone({ Id: ZONE })))
      return calls.filter(({ status }) => status === 'fulfilled').length
    }
    expect(await outcomes(60)).toBe(50)
    nowMs += 1000
    expect(await outcomes(20)).toBe(10)
    await expect(client.getHostedZone({ Id: ZONE })).rejects.toMatchObject({
      name: 'Throttling',
      message: 'Rate exceeded',
    })
  })
})
