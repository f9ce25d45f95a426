import { writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { googleCloudDns } from '../../src/traffic/google-cloud-dns/kind.ts'
import { googleCloudDnsAccount, googleCloudDnsSettings } from '../../src/traffic/google-cloud-dns/settings.ts'
import { type FakeRrset, type GoogleDns, refuse } from '../fakes/google-dns.ts'
import { adapterContext } from '../support/adapter-context.ts'
import { bench, CANARY, items, NEW, OLD, PLACE, plain, QUOTA, soon, weighted } from '../support/google-dns.ts'
import { answering, startWebServer } from '../support/web-server.ts'

describe('who else writes, and live checks', () => {
  const owned = (name: string) => ({
    name,
    type: 'TXT',
    ttl: 300,
    rrdatas: ['"heritage=external-dns,external-dns/owner=blue,external-dns/resource=ingress/shop/checkout"'],
  })

  test.each(['a.example.com.', 'a-a.example.com.'])(
    'external-dns that owns the record by %s is named',
    async (name) => {
      const { scope, read } = await bench([weighted('a', 10), owned(name)], ['a'])
      expect(await scope.inspect(['a'], soon())).toMatchObject([
        {
          targetId: 'a',
          level: 'warn',
          problem: { code: 'TRAFFIC_OTHER_WRITER', cause: expect.stringContaining('blue') },
        },
      ])
      expect(await read()).toMatchObject({ otherWriter: expect.stringContaining('external-dns (owner blue)') })
    },
  )

  test('all is well: nothing is found, and nothing was written', async () => {
    const { scope, posts } = await bench([weighted('a', 10), weighted('b', 0)])
    expect(await scope.inspect(['a', 'b'], soon())).toEqual([])
    expect(posts()).toEqual([])
  })

  test.each<[string, readonly FakeRrset[], string]>([
    ['a record that is not there', [], 'TRAFFIC_NOT_FOUND'],
    ['geo routing', [{ ...plain('a', OLD), routingPolicy: { geo: { items: [] } } }], 'TRAFFIC_WRONG_TYPE'],
    [
      'all weights 0',
      [
        items([
          [0, OLD],
          [0, NEW],
        ]),
      ],
      'TRAFFIC_REFUSED',
    ],
  ])('%s is found', async (_, rrsets, code) => {
    const { scope } = await bench(rrsets, ['a'])
    expect(await scope.inspect(['a'], soon())).toMatchObject([{ level: 'fail', problem: { code } }])
  })

  test('credentials that are wrong are found for every target', async () => {
    const { scope, dns } = await bench([weighted('a', 10)])
    dns.instead = (_request, response) => {
      refuse(response, 401, 'authError', 'no')
      return true
    }
    const problem = expect.objectContaining({ code: 'TRAFFIC_NO_CREDENTIALS' })
    expect(await scope.inspect(['a', 'b'], soon())).toEqual([
      { targetId: 'a', level: 'fail', problem },
      { targetId: 'b', level: 'fail', problem },
    ])
  })
})

describe('credentials', () => {
  const openWith = (dns: GoogleDns, credentials: string) => {
    const account = googleCloudDnsAccount.parse({ credentials: '${env:JSON}', endpoint: dns.url, quota: QUOTA })
    const settings = googleCloudDnsSettings.parse({
      project: PLACE.project,
      zone: PLACE.zone,
      record: 'a.example.com',
      old: [OLD],
      new: [NEW],
    })
    const scope = googleCloudDns.open([{ id: 'a', settings }], account, adapterContext({ JSON: credentials }))
    onTestFinished(() => scope.close())
    return scope
  }

  test('workload identity federation: a token is fetched once for what a file proves', async () => {
    const { dns } = await bench([weighted('a', 10)])
    const folder = await mkdtemp(join(tmpdir(), 'headgate-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    const file = join(folder, 'subject')
    writeFileSync(file, 'who I am')
    const sts = await startWebServer(
      answering(
        200,
        JSON.stringify({
          access_token: CANARY,
          issued_token_type: 'access_token',
          token_type: 'Bearer',
          expires_in: 3600,
        }),
        { 'content-type': 'application/json' },
      ),
    )
    const scope = openWith(
      dns,
      JSON.stringify({
        type: 'external_account',
        audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/k8s',
        subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
        token_url: `${sts.url}/v1/token`,
        credential_source: { file },
      }),
    )
    for (let time = 0; time < 2; time++)
      expect((await scope.read(['a'], soon())).get('a')).toMatchObject({ weightPercent: 10 })
    expect(sts.requests).toHaveLength(1)
    expect(sts.requests[0]?.body).toContain('who+I+am')
  })

  test.each([
    ['no JSON', `not json ${CANARY}`],
    ['a list', '[]'],
    ['of an unknown kind', JSON.stringify({ type: 'magic', secret: CANARY })],
    ['without a key that works', JSON.stringify({ type: 'service_account', client_email: 'x', private_key: CANARY })],
  ])('credentials that are %s are told without their text', async (_, credentials) => {
    const { dns } = await bench([weighted('a', 10)])
    const scope = openWith(dns, credentials)
    const findings = await scope.inspect(['a'], soon())
    expect(findings).toMatchObject([{ level: 'fail', problem: { code: 'TRAFFIC_NO_CREDENTIALS' } }])
    expect(JSON.stringify(findings)).not.toContain(CANARY)
    expect(dns.requests).toEqual([])
  })
})

describe('settings', () => {
  const good = { project: 'shop-prod', zone: 'example-com', record: 'Checkout.example.com.', old: [OLD], new: [NEW] }

  test('names are brought into one form, so that equal places are equal', () => {
    const settings = googleCloudDnsSettings.parse(good)
    expect(googleCloudDns.placeOf(settings)).toBe('checkout.example.com A')
    expect(googleCloudDns.scopeOf(settings)).toBe('shop-prod/example-com')
    expect(googleCloudDns.timingOf(settings)).toEqual({ propagationSeconds: 60, movingTtlSeconds: 20 })
    const kept = googleCloudDnsSettings.parse({ ...good, ttl: 'keep' })
    expect(googleCloudDns.timingOf(kept).movingTtlSeconds).toBe(null)
  })

  test.each<[string, object, string]>([
    ['a domain for a zone', { zone: 'example.com' }, 'no name of a managed zone'],
    ['a value on both sides', { new: [OLD] }, 'is in old and in new'],
    ['a name for an A record', { old: ['blue.example.com'] }, 'no value of a record of type A'],
    ['two names for a CNAME', { type: 'CNAME', old: ['a.b', 'c.d'], new: ['e.f'] }, 'a CNAME has one value'],
    ['a record that is no name', { record: 'checkout..example.com' }, 'no domain name'],
    ['a path in a project', { project: 'a/b' }, 'no id of a project'],
  ])('%s is refused', (_, parts, words) => {
    const parsed = googleCloudDnsSettings.safeParse({ ...good, ...parts })
    expect(parsed.error?.issues.map(({ message }) => message).join()).toContain(words)
  })

  test('an account needs nothing, and takes one way to a token', () => {
    expect(googleCloudDnsAccount.parse({})).toEqual({
      endpoint: 'https://dns.googleapis.com',
      quota: { callsPerSecond: 5, burst: 50 },
    })
    expect(googleCloudDnsAccount.safeParse({ token: '${env:A}', credentials: '${env:B}' }).success).toBe(false)
    expect(googleCloudDnsAccount.safeParse({ token: 'ya29.secret' }).success).toBe(false)
  })

  test('the role lets a change replace a record set, in the zones at hand', () => {
    const targets = [{ id: 'a', settings: googleCloudDnsSettings.parse(good) }]
    const [role] = googleCloudDns.privilegesFor(targets, googleCloudDnsAccount.parse({}))
    expect(role?.title).toContain('example-com')
    expect(role?.document).toMatchObject({ includedPermissions: expect.arrayContaining(['dns.changes.create']) })
  })
})
