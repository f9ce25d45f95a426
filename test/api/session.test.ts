import { describe, expect, test } from 'vitest'
import { createSessions } from '../../src/api/session.ts'
import { type ApiToken, EVERYTHING } from '../../src/policy/access.ts'
import { createFakeClock } from '../../src/simulate/clock.ts'
import { OPERATOR_TOKEN, signIn, TOKENS, testApi, VIEWER_TOKEN } from '../support/api.ts'

const PAUSE = { command: 'pause', reason: 'lunch' }
/** Every route that changes something. */
const CHANGES = [
  { method: 'POST', url: '/api/v1/workloads/checkout/commands', body: PAUSE },
  { method: 'POST', url: '/api/v1/commands', body: PAUSE },
  { method: 'POST', url: '/api/v1/webhooks/alertmanager', body: { version: '4', alerts: [] } },
  { method: 'POST', url: '/api/v1/reload', body: undefined },
  { method: 'POST', url: '/api/v1/session', body: undefined },
  { method: 'DELETE', url: '/api/v1/session', body: undefined },
] as const
const HOUR_MS = 3_600_000
const ADMIN: ApiToken = { name: 'root', role: 'admin', approves: [], scope: EVERYTHING, token: '${env:ADMIN}' }

async function signedIn(overrides: Parameters<typeof testApi>[0] = {}) {
  const reloads: number[] = []
  const api = await testApi({
    tokens: () => [...TOKENS, ADMIN],
    reload: async () => {
      reloads.push(1)
      return { problems: [], changes: [] }
    },
    ...overrides,
  })
  api.secrets.set('${env:ADMIN}', 'admin-token')
  const page = await signIn(api.app, 'admin-token')
  api.audited.length = 0
  return { ...api, page, reloads, headers: page.headers as Readonly<Record<string, string>> }
}

const without = (headers: Readonly<Record<string, string>>, ...names: string[]) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !names.includes(name)))

test('every changing route is here', async () => {
  const { app, headers } = await signedIn()
  const { paths } = (await app.inject({ url: '/openapi.json', headers })).json()
  const changing = Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods as object)
      .filter((method) => method !== 'get')
      .map((method) => `${method.toUpperCase()} ${path.replace('{name}', 'checkout')}`),
  )
  expect(CHANGES.map(({ method, url }) => `${method} ${url}`).sort()).toEqual(changing.sort())
})

describe.each(CHANGES)('$method $url by a cookie', ({ method, url, body }) => {
  type Change = (headers: Readonly<Record<string, string>>, other: string) => Readonly<Record<string, string>>
  const forgeries: Readonly<Record<string, Change>> = {
    'without X-CSRF-Token': (headers) => without(headers, 'x-csrf-token'),
    'with an empty one': (headers) => ({ ...headers, 'x-csrf-token': '' }),
    'with another session’s': (headers, other) => ({ ...headers, 'x-csrf-token': other }),
    'with one that lacks its last letter': (headers) => ({
      ...headers,
      'x-csrf-token': headers['x-csrf-token']?.slice(0, -1) ?? '',
    }),
    'from another site': (headers) => ({ ...headers, 'sec-fetch-site': 'cross-site' }),
    'from another host of the site': (headers) => ({ ...headers, 'sec-fetch-site': 'same-site' }),
    'typed by a person': (headers) => ({ ...headers, 'sec-fetch-site': 'none' }),
    'from another origin': (headers) => ({ ...without(headers, 'sec-fetch-site'), origin: 'http://evil.example' }),
    'from another port': (headers) => ({ ...without(headers, 'sec-fetch-site'), origin: 'http://localhost:3000' }),
    'from our host with another scheme': (headers) => ({ ...headers, origin: 'https://localhost:7474' }),
    'from a sandbox': (headers) => ({ ...headers, origin: 'null' }),
    'from nowhere': (headers) => without(headers, 'sec-fetch-site', 'origin'),
    'said to be a GET': (headers) => ({ ...without(headers, 'x-csrf-token'), 'x-http-method-override': 'GET' }),
    'said to be a GET by another name': (headers) => ({
      ...without(headers, 'x-csrf-token'),
      'x-method-override': 'GET',
    }),
  }

  test.each(Object.keys(forgeries))('%s: refused, and told of', async (name) => {
    const { app, page, headers, service, reloads, audited } = await signedIn()
    const other = await signIn(app, 'admin-token')
    audited.length = 0
    const forged = forgeries[name]?.(headers, other.csrfToken) ?? {}
    const response = await app.inject({ method, url, headers: forged, ...(body && { body }) })
    expect(response.statusCode).toBe(403)
    expect(response.json().code).toBe('API_CSRF_REFUSED')
    expect([service.submitted, reloads]).toEqual([[], []])
    expect(audited).toMatchObject([{ actor: 'root', code: 'API_CSRF_REFUSED', session: expect.any(String) }])
    expect((await app.inject({ url: '/api/v1/session', headers: page.headers })).statusCode).toBe(200)
  })

  test('by a GET that is said to be a change: nothing is changed', async () => {
    const { app, headers, service, reloads } = await signedIn()
    await app.inject({
      method: 'GET',
      url: `${url}?_method=${method}`,
      headers: { ...headers, 'x-http-method-override': method },
    })
    expect([service.submitted, reloads]).toEqual([[], []])
    expect((await app.inject({ url: '/api/v1/session', headers })).statusCode).toBe(200)
  })

  test('as a form of a page would send it: nothing is changed', async () => {
    const { app, headers, service, reloads } = await signedIn()
    const form = { ...without(headers, 'x-csrf-token'), 'content-type': 'application/x-www-form-urlencoded' }
    const response = await app.inject({
      method,
      url,
      headers: form,
      payload: `_method=GET&csrf=${headers['x-csrf-token']}`,
    })
    expect(response.statusCode).toBe(403)
    expect([service.submitted, reloads]).toEqual([[], []])
  })
})

describe('a page', () => {
  test('signs in, commands in its own name, and signs out', async () => {
    const { app, headers, page, service, audited } = await signedIn()
    expect(page.response.json()).toMatchObject({ name: 'root', via: 'token', roles: ['admin'] })
    const answer = await app.inject({ method: 'POST', url: '/api/v1/commands', headers, body: PAUSE })
    expect(answer.statusCode).toBe(202)
    expect(service.submitted[0]).toMatchObject({ actor: 'root' })
    expect(audited).toMatchObject([{ actor: 'root', via: 'token', status: 202, session: expect.any(String) }])
    const out = await app.inject({ method: 'DELETE', url: '/api/v1/session', headers })
    expect([out.json(), out.cookies[0]?.value, out.cookies[0]?.maxAge]).toEqual([{ ended: true }, '', 0])
    const after = await app.inject({ url: '/api/v1/session', headers })
    expect(after.json()).toMatchObject({ code: 'API_UNAUTHENTICATED', cause: 'the session has ended' })
  })

  test('that was loaded again is told its token again', async () => {
    const { app, headers, page } = await signedIn()
    const again = await app.inject({ url: '/api/v1/session', headers: without(headers, 'x-csrf-token', 'origin') })
    expect(again.json()).toEqual(page.response.json())
    expect(again.headers['cache-control']).toBe('no-store')
  })

  test.each([
    ['on loopback', {}, 'headgate', false],
    ['elsewhere', { host: '0.0.0.0' }, '__Host-headgate', true],
    ['on loopback behind TLS', { publicUrl: () => 'https://headgate.example' }, '__Host-headgate', true],
  ])('%s has a cookie that no script and no other site gets', async (_, overrides, name, secure) => {
    const { page } = await signedIn(overrides)
    const { value, ...rest } = page.cookie
    expect(rest).toEqual({
      ...{ name, path: '/', httpOnly: true, sameSite: 'Strict', maxAge: 8 * 3600 },
      ...(secure && { secure }),
    })
    expect(value).not.toContain('admin-token')
    expect(page.response.headers['cache-control']).toBe('no-store')
  })

  test('behind a proxy comes from where people reach it', async () => {
    const { app, headers, service } = await signedIn({ host: '0.0.0.0', publicUrl: () => 'https://headgate.example' })
    const send = (origin: string) =>
      app.inject({
        method: 'POST',
        url: '/api/v1/commands',
        headers: { ...headers, host: 'pod:7474', origin },
        body: PAUSE,
      })
    expect((await send('http://pod:7474')).json().code).toBe('API_CSRF_REFUSED')
    expect((await send('https://headgate.example')).statusCode).toBe(202)
    expect(service.submitted.length).toBeGreaterThan(0)
  })

  test('cannot begin with what a header does not carry, nor with a webhook’s token', async () => {
    const webhook: ApiToken = { ...ADMIN, name: 'alerts', role: 'webhook' }
    const { app } = await testApi({ tokens: () => [webhook], secret: () => 'webhook-token' })
    const post = (request: object) => app.inject({ method: 'POST', url: '/api/v1/session', ...request })
    expect((await post({ body: { token: 'webhook-token' } })).statusCode).toBe(401)
    expect((await post({ query: { token: 'webhook-token', access_token: 'webhook-token' } })).statusCode).toBe(401)
    const basic = Buffer.from('alerts:webhook-token').toString('base64')
    expect((await post({ headers: { authorization: `Basic ${basic}` } })).statusCode).toBe(401)
    expect((await post({ headers: { authorization: 'Bearer webhook-token' } })).json().code).toBe('API_FORBIDDEN')
  })

  test('without tokens in the config is nobody in particular, and cannot sign in', async () => {
    const { app } = await testApi({ tokens: () => [] })
    const headers = { cookie: 'headgate=from-before' }
    expect((await app.inject({ url: '/api/v1/session', headers })).json()).toMatchObject({
      name: null,
      roles: ['viewer'],
    })
    expect((await app.inject({ method: 'POST', url: '/api/v1/session', headers })).statusCode).toBe(401)
  })
})

describe('a session ends', () => {
  const ask = async ({ app, headers }: Awaited<ReturnType<typeof signedIn>>) =>
    (await app.inject({ url: '/api/v1/status', headers })).statusCode

  const config = () => ({ tokens: [...TOKENS, ADMIN] as readonly ApiToken[], maxHours: 8, key: null as string | null })

  test.each<[string, Partial<ReturnType<typeof config>>, (secrets: Map<string, string>) => unknown, number]>([
    ['when its token is gone', { tokens: TOKENS }, () => {}, 0],
    ['when its token is another', {}, (secrets) => secrets.set('${env:ADMIN}', 'rotated'), 0],
    ['when its token cannot be read', {}, (secrets) => secrets.delete('${env:ADMIN}'), 0],
    ['after its hours', {}, () => {}, 8],
    ['when the config has fewer hours by now', { maxHours: 1 }, () => {}, 1],
    ['when the key is another', { key: '${env:KEY}' }, () => {}, 0],
  ])('%s', async (_, reloaded, change, hours) => {
    const clock = createFakeClock(0)
    let at = config()
    const api = await signedIn({
      ...{ clock, tokens: () => at.tokens },
      session: () => ({ key: at.key, maxHours: at.maxHours }),
    })
    api.secrets.set('${env:KEY}', 'a key of at least thirty-two characters')
    expect(await ask(api)).toBe(200)
    at = { ...at, ...reloaded }
    change(api.secrets)
    clock.set(hours * HOUR_MS)
    expect(await ask(api)).toBe(401)
  })

  test('and does less at once when its role does', async () => {
    let role: ApiToken['role'] = 'admin'
    const api = await signedIn({ tokens: () => [{ ...ADMIN, role }] })
    const { app, headers } = api
    const reload = async () => (await app.inject({ method: 'POST', url: '/api/v1/reload', headers })).statusCode
    expect(await reload()).toBe(200)
    role = 'viewer'
    expect([await reload(), await ask(api)]).toEqual([403, 200])
    role = 'webhook'
    expect(await ask(api)).toBe(403)
  })

  test('not with the process, where the config names its key', async () => {
    const session = () => ({ key: '${env:KEY}', maxHours: 8 })
    const secret = () => 'one-secret-of-thirty-two-characters!'
    const tokens = () => [ADMIN]
    const first = await testApi({ ...{ session, secret, tokens }, startKey: 'one' })
    const { headers } = await signIn(first.app, secret())
    const second = await testApi({ ...{ session, secret, tokens }, startKey: 'two' })
    expect((await second.app.inject({ url: '/api/v1/status', headers })).statusCode).toBe(200)
  })

  test.each([
    ['is too short', 'short', 'less than 32 characters'],
    ['is not there', null, '${env:KEY} is not set'],
  ])('and none is begun while its key %s, but tokens count', async (_, key, cause) => {
    const { app, secrets } = await testApi({ session: () => ({ key: '${env:KEY}', maxHours: 8 }) })
    if (key !== null) secrets.set('${env:KEY}', key)
    const headers = { authorization: `Bearer ${OPERATOR_TOKEN}` }
    const response = await app.inject({ method: 'POST', url: '/api/v1/session', headers })
    expect(response.json()).toMatchObject({ code: 'API_SESSION_UNAVAILABLE', cause: expect.stringContaining(cause) })
    expect((await app.inject({ url: '/api/v1/status', headers })).statusCode).toBe(200)
    const cookie = await app.inject({ url: '/api/v1/status', headers: { cookie: 'headgate=x' } })
    expect(cookie.json().code).toBe('API_SESSION_UNAVAILABLE')
  })

  test('with many that were ended: those that are not remembered one by one end as well', async () => {
    const clock = createFakeClock(0)
    const { headers: _, ...api } = await signedIn({ clock })
    let made = 0
    const sessions = createSessions({
      ...{ host: '127.0.0.1', tls: null, publicUrl: () => null, tokens: () => TOKENS, oidc: () => null },
      ...{ session: () => ({ key: null, maxHours: 8 }), startKey: 'k', clock },
      secret: (reference) => api.secrets.get(reference) ?? '',
      random: { next: () => 0, id: () => `${made++}` },
      log: { debug() {}, info() {}, warn() {}, error() {} },
    })
    const grants = TOKENS.slice(0, 1)
    const identity = { name: 'grafana', via: 'token', subject: null, groups: [], endsAtMs: null, grants } as const
    const first = await sessions.begin(identity, VIEWER_TOKEN)
    sessions.end(first)
    clock.set(1000)
    const kept = await sessions.begin(identity, VIEWER_TOKEN)
    for (let count = 0; count <= 10_000; count++) sessions.end({ ...kept, id: `other-${count}`, beganAtMs: 500 })
    expect(await sessions.open(first.cookie)).toMatchObject({ code: 'API_UNAUTHENTICATED' })
    expect(await sessions.open(kept.cookie)).toMatchObject({ id: kept.id })
  })
})

test('a cookie that was changed, made elsewhere or cut opens nothing', async () => {
  const { app, page } = await signedIn()
  const { name, value } = page.cookie
  const [head = '', , iv = '', text = '', tag = ''] = value.split('.')
  const none = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url')
  const cookies = [
    'x',
    '',
    value.slice(0, -1),
    [head, '', iv, `${text.startsWith('A') ? 'B' : 'A'}${text.slice(1)}`, tag].join('.'),
    [none, '', iv, text, tag].join('.'),
    `${none}.${Buffer.from('{"name":"root","via":"token"}').toString('base64url')}.`,
    'a'.repeat(5000),
    '%00%zz',
  ]
  for (const cookie of cookies) {
    const response = await app.inject({ url: '/api/v1/status', headers: { cookie: `${name}=${cookie}` } })
    expect([cookie.slice(0, 20), response.statusCode]).toEqual([cookie.slice(0, 20), 401])
  }
})

test('a bearer token counts before a cookie, and needs no X-CSRF-Token', async () => {
  const { app, headers, service } = await signedIn()
  const send = (authorization: string) =>
    app.inject({
      ...{ method: 'POST', url: '/api/v1/commands', body: PAUSE },
      headers: { ...without(headers, 'x-csrf-token', 'origin', 'sec-fetch-site'), authorization },
    })
  expect((await send('Bearer nonsense')).statusCode).toBe(401)
  expect((await send('')).statusCode).toBe(401)
  expect((await send(`Bearer ${OPERATOR_TOKEN}`)).statusCode).toBe(202)
  expect(service.submitted[0]).toMatchObject({ actor: 'ada' })
})
