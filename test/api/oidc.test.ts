import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import { beforeAll, describe, expect, test } from 'vitest'
import { createOidcVerifier, type OidcVerifier } from '../../src/api/oidc.ts'
import { EVERYTHING, type OidcConfig } from '../../src/policy/access.ts'
import { createFakeClock } from '../../src/simulate/clock.ts'
import { signIn, testApi } from '../support/api.ts'

const ISSUER = 'https://id.example.com/realms/sre'
const NOW_MS = Date.UTC(2026, 10, 21, 3, 0, 0)
const NOW = NOW_MS / 1000
const CONFIG: OidcConfig = {
  issuer: ISSUER,
  audience: 'headgate',
  jwksUrl: null,
  toleranceSeconds: 30,
  claims: { name: 'preferred_username', groups: 'realm.roles' },
  groups: [
    { group: 'sre', role: 'operator', approves: ['leads'], scope: { ...EVERYTHING, workloads: ['checkout'] } },
    { group: 'all', role: 'viewer', approves: [], scope: EVERYTHING },
  ],
}
const CLAIMS: JWTPayload = {
  iss: ISSUER,
  aud: 'headgate',
  sub: 'u-1',
  exp: NOW + 300,
  preferred_username: 'ada@example.com',
  realm: { roles: ['sre', 'all'] },
}

type Pair = Awaited<ReturnType<typeof generateKeyPair>>
let first: Pair
let second: Pair
beforeAll(async () => {
  first = await generateKeyPair('ES256', { extractable: true })
  second = await generateKeyPair('ES256', { extractable: true })
})

const silentLog = { debug() {}, info() {}, warn() {}, error() {} }

const sign = (claims: JWTPayload, kid = 'one', pair = first) =>
  new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid }).sign(pair.privateKey)

/** An identity provider in the test's hands. */
function provider(config: Partial<OidcConfig> = {}) {
  const clock = createFakeClock(NOW_MS)
  const at = {
    keys: [['one', first]] as (readonly [string, Pair])[],
    isAway: false,
    issuer: ISSUER,
    asked: [] as string[],
  }
  const fetchJson = async (url: string) => {
    at.asked.push(url)
    if (at.isAway) throw new Error('away')
    if (url.endsWith('/.well-known/openid-configuration')) return { issuer: at.issuer, jwks_uri: `${ISSUER}/keys` }
    const keys = at.keys.map(async ([kid, { publicKey }]) => ({ ...(await exportJWK(publicKey)), kid, alg: 'ES256' }))
    return { keys: await Promise.all(keys) }
  }
  const verifier = createOidcVerifier({ ...CONFIG, ...config }, { fetchJson, clock, log: silentLog })
  return { at, clock, verifier }
}

test('who signed in has their name, and the sum of what their groups may do', async () => {
  const { verifier, at } = provider()
  const found = await verifier.verify(await sign(CLAIMS))
  expect(found).toMatchObject({ name: 'ada@example.com', via: 'oidc', subject: 'u-1' })
  expect(found).toHaveProperty('grants.length', 2)
  expect(at.asked).toEqual([`${ISSUER}/.well-known/openid-configuration`, `${ISSUER}/keys`])
})

describe('a token is refused', () => {
  test.each<[string, Readonly<Record<string, unknown>>, string]>([
    ['of another issuer', { iss: 'https://evil.example.com' }, 'API_UNAUTHENTICATED'],
    ['for another audience', { aud: 'grafana' }, 'API_UNAUTHENTICATED'],
    ['that has expired, beyond the tolerance', { exp: NOW - 31 }, 'API_UNAUTHENTICATED'],
    ['that is not valid yet', { nbf: NOW + 31 }, 'API_UNAUTHENTICATED'],
    ['that never expires', { exp: undefined }, 'API_UNAUTHENTICATED'],
    ['of nobody', { sub: undefined }, 'API_UNAUTHENTICATED'],
    ['without a name', { preferred_username: undefined }, 'API_FORBIDDEN'],
    ['with a name of two lines', { preferred_username: 'ada\nbob' }, 'API_FORBIDDEN'],
    ['with Headgate’s own name', { preferred_username: 'headgate' }, 'API_FORBIDDEN'],
    ['of somebody in no group', { realm: { roles: ['dev'] } }, 'API_FORBIDDEN'],
    ['whose groups are no list', { realm: { roles: { sre: true } } }, 'API_FORBIDDEN'],
    ['without groups', { realm: undefined }, 'API_FORBIDDEN'],
  ])('%s', async (_, change, code) => {
    const { verifier } = provider()
    const claims = Object.fromEntries(
      Object.entries({ ...CLAIMS, ...change }).filter(([, value]) => value !== undefined),
    )
    expect(await verifier.verify(await sign(claims))).toMatchObject({ code })
  })

  test('that is not signed, is signed with a secret, or by another', async () => {
    const { verifier } = provider()
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const unsigned = `${part({ alg: 'none' })}.${part(CLAIMS)}.`
    const withSecret = await new SignJWT(CLAIMS)
      .setProtectedHeader({ alg: 'HS256', kid: 'one' })
      .sign(new Uint8Array(32))
    for (const token of [unsigned, withSecret, await sign(CLAIMS, 'one', second), 'a.b.c'])
      expect(await verifier.verify(token)).toMatchObject({ code: 'API_UNAUTHENTICATED' })
  })

  test('within the tolerance it counts', async () => {
    const { verifier } = provider()
    expect(await verifier.verify(await sign({ ...CLAIMS, exp: NOW - 29 }))).toHaveProperty('via')
  })
})

describe('the keys', () => {
  test('are asked for once, then again for a key that is new, and not again at once', async () => {
    const { verifier, at, clock } = provider({ jwksUrl: `${ISSUER}/keys` })
    await Promise.all([verifier.verify(await sign(CLAIMS)), verifier.verify(await sign(CLAIMS))])
    expect(at.asked).toHaveLength(1)
    clock.set(NOW_MS + 31_000)
    at.keys = [['two', second]]
    expect(await verifier.verify(await sign(CLAIMS, 'two', second))).toHaveProperty('via')
    for (let tries = 0; tries < 5; tries++)
      expect(await verifier.verify(await sign(CLAIMS, 'three', second))).toMatchObject({ code: 'API_UNAUTHENTICATED' })
    expect(at.asked).toHaveLength(2)
  })

  test('of a provider that went away count for a day, and no longer', async () => {
    const { verifier, at, clock } = provider()
    await verifier.verify(await sign(CLAIMS))
    at.isAway = true
    clock.set(NOW_MS + 23 * 3_600_000)
    expect(await verifier.verify(await sign({ ...CLAIMS, exp: NOW + 90_000 }))).toHaveProperty('via')
    clock.set(NOW_MS + 25 * 3_600_000)
    expect(await verifier.verify(await sign({ ...CLAIMS, exp: NOW + 99_000 }))).toMatchObject({
      code: 'API_IDENTITY_UNAVAILABLE',
    })
    at.isAway = false
    clock.set(NOW_MS + 25 * 3_600_000 + 31_000)
    expect(await verifier.verify(await sign({ ...CLAIMS, exp: NOW + 99_000 }))).toHaveProperty('via')
  })

  test('of a discovery document of another issuer are not taken', async () => {
    const { verifier, at } = provider()
    at.issuer = 'https://evil.example.com'
    expect(await verifier.verify(await sign(CLAIMS))).toMatchObject({ code: 'API_IDENTITY_UNAVAILABLE' })
  })
})

test('over the API: commands where the group may, in the person’s name, and told by the audit', async () => {
  const { verifier, at } = provider()
  const { app, service, audited } = await testApi({ oidc: () => verifier })
  const command = async (workload: string, change: JWTPayload = {}) =>
    app.inject({
      method: 'POST',
      url: `/api/v1/workloads/${workload}/commands`,
      headers: { authorization: `Bearer ${await sign({ ...CLAIMS, ...change })}` },
      body: { command: 'pause', reason: 'lunch' },
    })
  expect((await command('checkout')).statusCode).toBe(202)
  expect(service.submitted).toMatchObject([{ actor: 'ada@example.com', roles: ['leads'], workload: 'checkout' }])
  expect((await command('catalog')).json()).toMatchObject({ code: 'API_FORBIDDEN' })
  expect((await command('checkout', { preferred_username: 'ada' })).json()).toMatchObject({
    code: 'API_FORBIDDEN',
    cause: expect.stringContaining('is the name of a token'),
  })
  expect(audited).toMatchObject([
    {
      actor: 'ada@example.com',
      via: 'oidc',
      subject: 'u-1',
      status: 202,
      command: { command: 'pause', reason: 'lunch' },
    },
    { actor: 'ada@example.com', status: 403, code: 'API_FORBIDDEN' },
    { actor: null, status: 403, code: 'API_FORBIDDEN' },
  ])
  at.isAway = true
})

describe('the session of a person', () => {
  const scene = async (change: JWTPayload = {}) => {
    const { verifier, clock } = provider()
    const at = { verifier: verifier as OidcVerifier | null }
    const api = await testApi({ clock, oidc: () => at.verifier })
    const page = await signIn(api.app, await sign({ ...CLAIMS, ...change }))
    const who = async () => (await api.app.inject({ url: '/api/v1/session', headers: page.headers })).json()
    const withConfig = (config: Partial<OidcConfig>) => {
      at.verifier = createOidcVerifier(
        { ...CONFIG, ...config },
        { fetchJson: () => Promise.reject(new Error('nobody asks')), clock, log: silentLog },
      )
    }
    return { ...api, at, clock, page, who, withConfig }
  }

  test('has their name and roles, and ends with the token that began it', async () => {
    const { page, who, clock } = await scene()
    expect(page.response.json()).toMatchObject({ name: 'ada@example.com', via: 'oidc', roles: ['operator', 'viewer'] })
    expect(page.cookie.maxAge).toBe(300)
    clock.set(NOW_MS + 299_999)
    expect(await who()).toMatchObject({ name: 'ada@example.com', endsAtMs: NOW_MS + 300_000 })
    clock.set(NOW_MS + 300_000)
    expect(await who()).toMatchObject({ code: 'API_UNAUTHENTICATED', cause: 'the session has ended' })
  })

  test('follows what the config gives to their groups, without the identity provider', async () => {
    const { withConfig, who } = await scene()
    withConfig({ groups: CONFIG.groups.slice(1) })
    expect(await who()).toMatchObject({ roles: ['viewer'] })
    withConfig({ groups: [{ group: 'others', role: 'admin', approves: [], scope: EVERYTHING }] })
    expect(await who()).toMatchObject({ code: 'API_FORBIDDEN' })
  })

  test.each<[string, Partial<OidcConfig> | null]>([
    ['nobody', null],
    ['another issuer', { issuer: 'https://id.example.org' }],
    ['another audience', { audience: 'other' }],
    ['names of another claim', { claims: { ...CONFIG.claims, name: 'email' } }],
  ])('ends when the config believes %s', async (_, config) => {
    const { at, withConfig, who } = await scene()
    if (config === null) at.verifier = null
    else withConfig(config)
    expect(await who()).toMatchObject({ code: 'API_UNAUTHENTICATED' })
  })

  test('is not begun by a token that counts by the tolerance alone', async () => {
    const { verifier, clock } = provider()
    const { app } = await testApi({ clock, oidc: () => verifier })
    await expect(signIn(app, await sign({ ...CLAIMS, exp: NOW - 5 }))).rejects.toThrow('the token has expired')
  })

  test('is not begun by somebody in more groups than a cookie holds, and the answer says so', async () => {
    const roles = Array.from({ length: 200 }, (_, index) => `a-group-with-a-long-name-${index}`)
    const groups = roles.map((group) => ({ group, role: 'viewer' as const, approves: [], scope: EVERYTHING }))
    const { verifier, clock } = provider({ groups })
    const { app } = await testApi({ clock, oidc: () => verifier })
    const begun = signIn(app, await sign({ ...CLAIMS, realm: { roles } }))
    await expect(begun).rejects.toThrow('API_SESSION_UNAVAILABLE')
  })
})
