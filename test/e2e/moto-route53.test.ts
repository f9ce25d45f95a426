import * as sdk from '@aws-sdk/client-route-53'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import type { TrafficScope, WeightChange } from '../../src/ports/traffic.ts'
import { route53 } from '../../src/traffic/route53/kind.ts'
import { route53Account } from '../../src/traffic/route53/settings.ts'
import { adapterContext } from '../support/adapter-context.ts'
import { type Moto, startMoto } from '../support/moto.ts'
import { requireServer } from '../support/servers.ts'

const binary = requireServer('moto_server', 'the wire format of Route 53')

/** Only what moto does as AWS: it neither keeps batches whole nor knows limits; those are for the strict fake. */
describe.skipIf(binary === null)('route53 against moto', () => {
  let moto: Moto
  let client: sdk.Route53
  let zone: string
  const scopes: TrafficScope[] = []

  beforeAll(async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAFAKE')
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'canary')
    moto = await startMoto(binary ?? '')
    client = new sdk.Route53({ region: 'us-east-1', endpoint: moto.url })
    const { HostedZone } = await client.createHostedZone({ Name: 'example.com', CallerReference: 'test' })
    zone = HostedZone?.Id?.replace('/hostedzone/', '') ?? ''
  })

  afterAll(async () => {
    for (const scope of scopes) await scope.close()
    client?.destroy()
    await moto?.stop()
    vi.unstubAllEnvs()
  })

  async function create(...sets: readonly sdk.ResourceRecordSet[]): Promise<void> {
    const Changes = sets.map((ResourceRecordSet): sdk.Change => ({ Action: 'CREATE', ResourceRecordSet }))
    await client.changeResourceRecordSets({ HostedZoneId: zone, ChangeBatch: { Changes } })
  }

  async function setsOf(name: string): Promise<readonly sdk.ResourceRecordSet[]> {
    const { ResourceRecordSets = [] } = await client.listResourceRecordSets({ HostedZoneId: zone })
    return ResourceRecordSets.filter(({ Name }) => Name === `${name}.`)
  }

  function open(settings: Readonly<Record<string, object>>) {
    const targets = Object.entries(settings).map(([id, parts]) => ({
      id,
      settings: route53.settings.parse({ zone, record: `${id}.example.com`, old: 'blue', new: 'green', ...parts }),
    }))
    const scope = route53.open(targets, route53Account.parse({ endpoint: moto.url }), adapterContext())
    scopes.push(scope)
    const ids = targets.map(({ id }) => id)
    return {
      read: async () => Object.fromEntries(await scope.read(ids, AbortSignal.timeout(120_000))),
      write: async (parts: Partial<WeightChange>) =>
        Object.fromEntries(
          await scope.write(
            ids.map((targetId) => ({ targetId, weightPercent: 0, ttlSeconds: null, urgency: 'forward', ...parts })),
            AbortSignal.timeout(120_000),
          ),
        ),
    }
  }

  const TARGET = { HostedZoneId: 'Z215JYRZR1TBD5', DNSName: 'lb.example.net.', EvaluateTargetHealth: true }
  const forms: Readonly<Record<string, Partial<sdk.ResourceRecordSet>>> = {
    address: { Type: 'A', TTL: 60, ResourceRecords: [{ Value: '192.0.2.1' }, { Value: '192.0.2.2' }] },
    six: { Type: 'AAAA', TTL: 60, ResourceRecords: [{ Value: '2001:db8::1' }] },
    cname: { Type: 'CNAME', TTL: 60, ResourceRecords: [{ Value: 'lb.example.net' }] },
    alias: { Type: 'A', AliasTarget: TARGET },
  }

  test('each weight is read back as it was written, of each kind of record, and nothing else changes', async () => {
    const sets = Object.entries(forms).flatMap(([label, form]) =>
      [['blue', 100] as const, ['green', 0] as const].map(([SetIdentifier, Weight]) => ({
        Name: `${label}.example.com.`,
        Type: form.Type,
        SetIdentifier,
        Weight,
        ...form,
      })),
    )
    await create(...sets)
    const { read, write } = open({ address: {}, six: {}, cname: {}, alias: {} })
    const ids = Object.keys(forms)
    for (const percent of [0, 10, 12.5, 50, 99.6, 100, 0]) {
      expect(await write({ weightPercent: percent, urgency: percent === 0 ? 'revert' : 'forward' })).toEqual(
        Object.fromEntries(ids.map((id) => [id, { kind: 'applied' }])),
      )
      expect(await read()).toMatchObject(
        Object.fromEntries(ids.map((id) => [id, { kind: 'weight', weightPercent: percent }])),
      )
    }
    for (const [label, form] of Object.entries(forms))
      expect(await setsOf(`${label}.example.com`)).toMatchObject([form, form])
  })

  test('both TTLs are lowered by one write', async () => {
    const form: sdk.ResourceRecordSet = {
      Name: 'slow.example.com.',
      Type: 'A',
      TTL: 3600,
      ResourceRecords: [{ Value: '192.0.2.1' }],
    }
    await create({ ...form, SetIdentifier: 'blue', Weight: 100 }, { ...form, SetIdentifier: 'green', Weight: 0 })
    const { read, write } = open({ slow: {} })
    expect(await write({ ttlSeconds: 20 })).toEqual({ slow: { kind: 'applied' } })
    expect(await read()).toEqual({ slow: { kind: 'weight', weightPercent: 0, ttlSeconds: 20 } })
  })

  test('a simple record becomes a weighted one', async () => {
    await create({ Name: 'plain.example.com.', Type: 'A', TTL: 60, ResourceRecords: [{ Value: '192.0.2.1' }] })
    const { read, write } = open({ plain: { newValues: ['203.0.113.9'] } })
    expect(await read()).toMatchObject({ plain: { weightPercent: 0 } })
    expect(await write({ weightPercent: 25 })).toEqual({ plain: { kind: 'applied' } })
    expect(await read()).toMatchObject({ plain: { weightPercent: 25 } })
    expect(await setsOf('plain.example.com')).toMatchObject([
      { SetIdentifier: 'blue', Weight: 75, TTL: 60, ResourceRecords: [{ Value: '192.0.2.1' }] },
      { SetIdentifier: 'green', Weight: 25, TTL: 60, ResourceRecords: [{ Value: '203.0.113.9' }] },
    ])
  })

  test('a name that is not there is not found, and a zone neither', async () => {
    const missing = { kind: 'missing', why: 'empty' }
    expect(await open({ ghost: {} }).read()).toMatchObject({ ghost: missing })
    expect(await open({ ghost: { zone: 'Z0NOTHERE' } }).read()).toMatchObject({ ghost: missing })
  })
})
