import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createQuotas } from '../../src/engine/quotas.ts'
import { createFakeClock } from '../../src/simulate/clock.ts'
import { route53 } from '../../src/traffic/route53/kind.ts'
import { route53Account, route53Settings } from '../../src/traffic/route53/settings.ts'
import { fakePair } from '../fakes/route53.ts'
import { adapterContext } from '../support/adapter-context.ts'
import { openRoute53, SHOP, startZone, useZone, ZONE } from '../support/route53.ts'
import { answering, startWebServer } from '../support/web-server.ts'

const BARE = { zone: 'Z1', record: 'shop.example.com', old: 'blue', new: 'green' }

describe('the settings of route53', () => {
  test('have defaults', () => {
    expect(route53Settings.parse(BARE)).toEqual({ ...BARE, movingTtlSeconds: 20, propagationSeconds: 10 })
    expect(route53Account.parse({})).toEqual({
      region: 'us-east-1',
      quota: { callsPerSecond: 10, burst: 50 },
      batch: { records: 1000, characters: 32_000 },
    })
  })

  test.each<[string, object, string]>([
    ['a zone with its prefix', { zone: '/hostedzone/Z1' }, '"/hostedzone/Z1" is no id of a hosted zone'],
    ['a name of one label', { record: 'shop' }, '"shop" is no full DNS name'],
    ['a star in the middle', { record: 'a.*.example.com' }, '"a.*.example.com" is no full DNS name'],
    ['one record for both sides', { new: 'blue' }, 'old and new are both blue'],
    [
      'values and an alias',
      { newValues: ['192.0.2.1'], newAlias: { zone: 'Z2', name: 'lb.example.net' } },
      'newValues and newAlias both say what the new record is',
    ],
    ['a health check that is none', { failover: { healthCheck: 'a b' } }, '"a b" is no id of a health check'],
  ])('refuse %s', (_, parts, message) => {
    const parsed = route53Settings.safeParse({ ...BARE, ...parts })
    expect(parsed.error?.issues.map((issue) => issue.message)).toEqual([message])
  })

  test.each<[string, object]>([
    ['a role that is no ARN', { role: { arn: 'headgate' } }],
    ['an endpoint with credentials', { endpoint: 'https://me:secret@example.com' }],
    ['more in a batch than AWS takes', { batch: { records: 1001 } }],
    ['a region that is none', { region: 'Frankfurt' }],
    ['a burst of one', { quota: { burst: 1 } }],
  ])('refuse an account with %s', (_, account) => {
    expect(route53Account.safeParse(account).success).toBe(false)
  })

  test.each([
    ['shop.example.com', 'Shop.Example.COM.', {}, true],
    ['shop.example.com', 'shop.example.com', { type: 'AAAA' }, false],
    ['shop.example.com', 'cart.example.com', {}, false],
  ])('place %s and %s (%j): the same: %j', (one, other, parts, isSame) => {
    const placeOf = (settings: object) => route53.placeOf(route53Settings.parse({ ...BARE, ...settings }))
    expect(placeOf({ record: one }) === placeOf({ record: other, ...parts })).toBe(isSame)
  })
})

describe('the privileges', () => {
  const target = (id: string, parts: object = {}) => ({ id, settings: route53Settings.parse({ ...BARE, ...parts }) })

  test('are these names and types of these zones, by UPSERT alone', () => {
    const targets = [
      target('a'),
      target('b', { record: '*.example.com', type: 'CNAME' }),
      target('c', { zone: 'Z2', type: 'A' }),
    ]
    const [{ document } = { document: null }, ...others] = route53.privilegesFor(targets, route53Account.parse({}))
    expect(others).toEqual([])
    expect(document).toEqual({
      Version: '2012-10-17',
      Statement: [
        {
          Effect: 'Allow',
          Action: 'route53:ListResourceRecordSets',
          Resource: ['arn:aws:route53:::hostedzone/Z1', 'arn:aws:route53:::hostedzone/Z2'],
        },
        { Effect: 'Allow', Action: 'route53:GetChange', Resource: ['arn:aws:route53:::change/*'] },
        changesOf('Z1', ['\\052.example.com', 'shop.example.com'], ['A', 'AAAA', 'CNAME']),
        changesOf('Z2', ['shop.example.com'], ['A']),
      ],
    })
  })

  function changesOf(zone: string, names: readonly string[], types: readonly string[]) {
    return {
      Effect: 'Allow',
      Action: 'route53:ChangeResourceRecordSets',
      Resource: [`arn:aws:route53:::hostedzone/${zone}`],
      Condition: {
        'ForAllValues:StringEquals': {
          'route53:ChangeResourceRecordSetsActions': ['UPSERT'],
          'route53:ChangeResourceRecordSetsNormalizedRecordNames': names,
          'route53:ChangeResourceRecordSetsRecordTypes': types,
        },
      },
    }
  }

  test.each<[string, object, object, string]>([
    [
      'creating and deleting, where records are to be made',
      { newValues: ['192.0.2.1'] },
      {},
      '["CREATE","DELETE","UPSERT"]',
    ],
    ['looking at the health check', { failover: { healthCheck: 'abc' } }, {}, '"arn:aws:route53:::healthcheck/abc"'],
    ['the partition of the region', {}, { region: 'cn-northwest-1' }, '"arn:aws-cn:route53:::hostedzone/Z1"'],
    [
      'assuming the role',
      {},
      { role: { arn: 'arn:aws:iam::123456789012:role/headgate' } },
      '{"Effect":"Allow","Action":"sts:AssumeRole","Resource":["arn:aws:iam::123456789012:role/headgate"]}',
    ],
  ])('name %s', (_, settings, account, text) => {
    expect(JSON.stringify(route53.privilegesFor([target('a', settings)], route53Account.parse(account)))).toContain(
      text,
    )
  })
})

describe('the account', () => {
  const ROLE = 'arn:aws:iam::123456789012:role/headgate'

  test('has its role assumed once for all its zones, with the external id, and that role is who calls', async () => {
    const fake = await startZone()
    fake.addZone('Z2', 'example.org')
    fake.seed(ZONE, fakePair('shop.example.com', 75, 25))
    fake.seed('Z2', fakePair('shop.example.org', 90, 10))
    fake.accessKeys.clear()
    fake.accessKeys.add('ASIAROLE')
    const sts = await startWebServer(
      answering(
        200,
        `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials>
         <AccessKeyId>ASIAROLE</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>
         <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`,
        { 'content-type': 'text/xml' },
      ),
    )
    vi.stubEnv('AWS_ENDPOINT_URL_STS', sts.url)
    const account = route53Account.parse({ endpoint: fake.url, role: { arn: ROLE, externalId: 'ours' } })
    const clock = createFakeClock(0)
    const context = { ...adapterContext(), clock, quotas: createQuotas(clock) }
    const readings = []
    for (const [zone, record] of [
      [ZONE, 'shop.example.com'],
      ['Z2', 'shop.example.org'],
    ]) {
      const settings = route53Settings.parse({ ...BARE, zone, record })
      const scope = route53.open([{ id: 'shop', settings }], account, context)
      onTestFinished(() => scope.close())
      readings.push((await scope.read(['shop'], AbortSignal.timeout(120_000))).get('shop'))
    }
    expect(readings).toMatchObject([{ weightPercent: 25 }, { weightPercent: 10 }])
    expect(sts.requests.map(({ body }) => Object.fromEntries(new URLSearchParams(body)))).toMatchObject([
      { Action: 'AssumeRole', RoleArn: ROLE, ExternalId: 'ours', RoleSessionName: 'headgate' },
    ])
  })

  test('has one quota for all its zones', () => {
    const context = adapterContext()
    const account = route53Account.parse({})
    const quotas = ['Z1', 'Z2'].map(
      (zone) => route53.open([{ id: 'a', settings: route53Settings.parse({ ...BARE, zone }) }], account, context).quota,
    )
    expect(quotas[0]).toBe(quotas[1])
  })

  test('that closes one zone keeps the client of the others', async () => {
    const fake = await startZone()
    fake.seed(ZONE, fakePair('shop.example.com', 75, 25))
    const account = route53Account.parse({ endpoint: fake.url })
    const settings = route53Settings.parse({ ...BARE, zone: ZONE })
    const [one, other] = [1, 2].map(() => route53.open([{ id: 'shop', settings }], account, adapterContext()))
    onTestFinished(async () => other?.close())
    const signal = AbortSignal.timeout(120_000)
    await one?.read(['shop'], signal)
    await one?.close()
    await one?.close()
    expect((await other?.read(['shop'], signal))?.get('shop')).toMatchObject({ weightPercent: 25 })
  })

  test('without credentials fails, names what it takes, and is asked again when they are there', async () => {
    const fake = await startZone()
    const user = useZone(fake, fakePair('shop.example.com', 75, 25), { shop: SHOP })
    vi.stubEnv('AWS_ACCESS_KEY_ID', undefined)
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true')
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nonexistent')
    vi.stubEnv('AWS_CONFIG_FILE', '/nonexistent')
    expect(await user.inspect()).toEqual([
      expect.stringContaining(
        'fail TRAFFIC_NO_CREDENTIALS: no credentials that Route 53 takes: CredentialsProviderError',
      ),
    ])
    const { scope } = openRoute53(fake.url, { shop: SHOP })
    onTestFinished(() => scope.close())
    vi.stubEnv('AWS_ACCESS_KEY_ID', [...fake.accessKeys][0])
    expect((await scope.read(['shop'], AbortSignal.timeout(120_000))).get('shop')).toMatchObject({ weightPercent: 25 })
    expect(await user.read()).toMatchObject({ weightPercent: 25 })
  })
})
