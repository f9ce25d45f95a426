import { describe, expect, test } from 'vitest'
import { authenticate } from '../../src/api/auth.ts'
import { isLoopback, isLoopbackHeader } from '../../src/api/hosts.ts'
import { Problem } from '../../src/core/problem.ts'
import { EVERYTHING } from '../../src/policy/access.ts'
import { OPERATOR_TOKEN, TOKENS, testApi, VIEWER_TOKEN, WEBHOOK_TOKEN } from '../support/api.ts'

const ROUTES = [
  { method: 'GET', url: '/healthz', access: 'open' },
  { method: 'GET', url: '/readyz', access: 'open' },
  { method: 'GET', url: '/metrics', access: 'open' },
  { method: 'GET', url: '/openapi.json', access: 'viewer' },
  { method: 'GET', url: '/api/v1/status', access: 'viewer' },
  { method: 'GET', url: '/api/v1/workloads', access: 'viewer' },
  { method: 'GET', url: '/api/v1/workloads/catalog', access: 'viewer' },
  { method: 'GET', url: '/api/v1/journal', access: 'viewer' },
  { method: 'GET', url: '/api/v1/stream?afterSeq=bad', access: 'viewer' },
  { method: 'GET', url: '/nowhere', access: 'viewer' },
  { method: 'POST', url: '/api/v1/workloads/catalog/commands', access: 'operator' },
  { method: 'POST', url: '/api/v1/webhooks/alertmanager', access: 'webhook' },
] as const

const CALLERS = {
  'no token': undefined,
  'a wrong token': 'Bearer nonsense',
  'another scheme': `Basic ${OPERATOR_TOKEN}`,
  'a viewer': `Bearer ${VIEWER_TOKEN}`,
  'a webhook': `Bearer ${WEBHOOK_TOKEN}`,
  'a webhook by Basic': basic('alerts', WEBHOOK_TOKEN),
  'a webhook by Basic under another name': basic('ada', WEBHOOK_TOKEN),
  'an operator': `Bearer ${OPERATOR_TOKEN}`,
}

function basic(name: string, password: string): string {
  return `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`
}

describe.each(ROUTES)('$method $url', ({ method, url, access }) => {
  const want: Record<keyof typeof CALLERS, number | 'let in'> = {
    'no token': access === 'open' ? 'let in' : 401,
    'a wrong token': access === 'open' ? 'let in' : 401,
    'another scheme': access === 'open' ? 'let in' : 401,
    'a viewer': access === 'operator' || access === 'webhook' ? 403 : 'let in',
    'a webhook': access === 'open' || access === 'webhook' ? 'let in' : 403,
    'a webhook by Basic': access === 'open' || access === 'webhook' ? 'let in' : 401,
    'a webhook by Basic under another name': access === 'open' ? 'let in' : 401,
    'an operator': 'let in',
  }
  test.each(Object.entries(CALLERS))('asked with %s', async (caller, authorization) => {
    const { app } = await testApi()
    const body = method === 'POST' ? { body: { command: 'pause', reason: 'lunch' } } : {}
    const response = await app.inject({ method, url, ...body, headers: authorization ? { authorization } : {} })
    const expected = Object.entries(want).find(([name]) => name === caller)?.[1]
    if (expected === 'let in') expect([200, 202, 400, 404]).toContain(response.statusCode)
    else expect(response.statusCode).toBe(expected)
  })
})

describe('without tokens in the config', () => {
  test('reads are open, as the service listens on loopback', async () => {
    const { app } = await testApi({ tokens: () => [] })
    expect((await app.inject('/api/v1/workloads')).statusCode).toBe(200)
  })

  test('commands are refused, and the hint says how to allow them', async () => {
    const { app, service } = await testApi({ tokens: () => [] })
    const response = await app.inject({
      method: 'POST',
      url: '/api/v1/workloads/catalog/commands',
      headers: { authorization: `Bearer ${OPERATOR_TOKEN}` },
      body: { command: 'pause', reason: 'lunch' },
    })
    expect(response.statusCode).toBe(401)
    expect(response.json()).toMatchObject({ code: 'API_UNAUTHENTICATED', hint: expect.stringContaining('api.tokens') })
    expect(service.submitted).toEqual([])
  })
})

describe('tokens', () => {
  test('a rotated token counts from the next request, the old one no longer', async () => {
    const { app, secrets } = await testApi()
    const ask = async (token: string) =>
      (await app.inject({ url: '/api/v1/status', headers: { authorization: `Bearer ${token}` } })).statusCode
    expect(await ask(VIEWER_TOKEN)).toBe(200)
    secrets.set('${env:VIEWER}', 'rotated')
    expect(await ask(VIEWER_TOKEN)).toBe(401)
    expect(await ask('rotated')).toBe(200)
  })

  test('one that cannot be resolved is nobody’s, the others go on', async () => {
    const { app, secrets, logged } = await testApi()
    secrets.delete('${env:VIEWER}')
    const headers = { authorization: `Bearer ${OPERATOR_TOKEN}` }
    expect((await app.inject({ url: '/api/v1/status', headers })).statusCode).toBe(200)
    expect(logged.join()).toContain('CONFIG_SECRET_UNRESOLVED')
  })

  test('every token is looked at, whichever fits: time tells nothing', async () => {
    const asked: string[] = []
    const options = {
      oidc: () => null,
      clients: () => [],
      tokens: () => TOKENS,
      secret: (reference: string) => {
        asked.push(reference)
        return reference === '${env:VIEWER}' ? VIEWER_TOKEN : OPERATOR_TOKEN
      },
      log: { debug() {}, info() {}, warn() {}, error() {} },
    }
    expect(await authenticate('viewer', `Bearer ${VIEWER_TOKEN}`, options)).toEqual({
      name: 'grafana',
      via: 'token',
      subject: null,
      groups: [],
      endsAtMs: null,
      grants: [{ role: 'viewer', approves: [], scope: EVERYTHING }],
    })
    expect(await authenticate('viewer', 'Bearer nothing', options)).toBeInstanceOf(Problem)
    expect(asked).toEqual([...TOKENS, ...TOKENS].map(({ token }) => token))
  })

  test('no token reaches an answer or the log', async () => {
    const { app, logged } = await testApi()
    const answers: string[] = []
    for (const { method, url } of ROUTES)
      for (const authorization of [`Bearer ${VIEWER_TOKEN}`, `Bearer ${OPERATOR_TOKEN}`, 'Bearer canary-3f']) {
        const response = await app.inject({ method, url, headers: { authorization } })
        answers.push(response.body, JSON.stringify(response.headers))
      }
    for (const secret of [VIEWER_TOKEN, OPERATOR_TOKEN, 'canary-3f'])
      expect([...answers, ...logged].join()).not.toContain(secret)
  })
})

describe('host names', () => {
  test.each(['127.0.0.1', '127.0.0.1:7474', '127.9.9.9', 'localhost:7474', 'LOCALHOST', '[::1]:7474'])(
    '%s is this machine',
    (header) => expect(isLoopbackHeader(header)).toBe(true),
  )

  test.each([
    undefined,
    '',
    'evil.example',
    'evil.example:7474',
    '127.0.0.1.evil.example',
    '10.0.0.1',
    '[::2]',
    'a:b:c',
  ])('%s is not', (header) => expect(isLoopbackHeader(header)).toBe(false))

  test.each([
    ['127.0.0.1', true],
    ['::1', true],
    ['localhost', true],
    ['0.0.0.0', false],
    ['::', false],
    ['127.evil.example', false],
  ])('listening on %s is loopback: %s', (host, want) => expect(isLoopback(host)).toBe(want))

  test('on loopback a strange name is refused, whatever it asks', async () => {
    const { app } = await testApi()
    const response = await app.inject({ url: '/healthz', headers: { host: 'evil.example' } })
    expect(response.statusCode).toBe(403)
    expect(response.json().code).toBe('API_HOST_REFUSED')
  })

  test('elsewhere any name goes', async () => {
    const { app } = await testApi({ host: '0.0.0.0' })
    expect((await app.inject({ url: '/healthz', headers: { host: 'headgate.example' } })).statusCode).toBe(200)
  })
})
