import { connect } from 'node:net'
import { connect as connectTls } from 'node:tls'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { namesOf, rfc2253 } from '../../src/api/certificate.ts'
import { type ApiClient, EVERYTHING, type Role } from '../../src/policy/access.ts'
import { createFakeClock } from '../../src/simulate/clock.ts'
import { fakeEvent } from '../fakes/service.ts'
import { OPERATOR_TOKEN, TOKENS, VIEWER_TOKEN } from '../support/api.ts'
import { createAuthority, selfSigned } from '../support/certificates.ts'
import { agentOf, CLIENTS, SERVERS, shownBy, tlsApi } from '../support/tls-api.ts'

const STRANGERS = createAuthority('strangers')
const client = (name: string, role: Role, certificate: ApiClient['certificate']): ApiClient => ({
  ...{ name, role, approves: [], scope: EVERYTHING, certificate },
})
const ALERTS = client('alerts-by-certificate', 'webhook', { san: 'DNS:am.monitoring.svc' })
const BOB = client('bob', 'admin', { subject: 'CN=bob,O=Shop' })
const MESH = client('mesh', 'viewer', { san: 'URI:spiffe://shop.example/ns/a/sa/b' })
const ALL = [ALERTS, BOB, MESH]
const bob = CLIENTS.issue({ names: ['bob'], organization: 'Shop', usage: 'client' })
const alertmanager = CLIENTS.issue({ names: ['am.monitoring.svc'] })
const NOBODY = { status: 401, code: 'API_UNAUTHENTICATED' }
const refusedFor = (cause: string) => ({ status: 401, code: 'API_CERTIFICATE_REFUSED', cause })

describe('a client is known by its certificate', () => {
  test.each([
    ['by its subject', bob, 'bob'],
    ['by a URI', CLIENTS.issue({ names: ['b', 'spiffe://shop.example/ns/a/sa/b'] }), 'mesh'],
    ['by one of several names', CLIENTS.issue({ names: ['x', 'AM.monitoring.svc'] }), null],
  ])('%s', async (_, shown, name) => {
    const { ask } = await tlsApi(ALL)
    const { status, json } = await ask('/api/v1/session', shown)
    // The webhook's role reads nothing: who it is was seen all the same.
    if (name === null) expect([status, json.code]).toEqual([403, 'API_FORBIDDEN'])
    else expect([status, json.name]).toEqual([200, name])
  })

  test.each([
    ['none', null, NOBODY],
    ['one of another authority', STRANGERS.issue({ names: ['am.monitoring.svc'] }), refusedFor('another authority')],
    ['one that vouches for itself', selfSigned({ names: ['am.monitoring.svc'] }), refusedFor('no authority')],
    [
      'one that has expired',
      CLIENTS.issue({ names: ['bob'], startsInDays: -9, endsInDays: -1 }),
      refusedFor('expired'),
    ],
    ['one of tomorrow', CLIENTS.issue({ names: ['bob'], startsInDays: 1 }), refusedFor('not valid yet')],
    ['one for servers', CLIENTS.issue({ names: ['bob'], usage: 'server' }), refusedFor('not one for clients')],
    ['one that nobody is named by', CLIENTS.issue({ names: ['eve'] }), refusedFor('no client of')],
    ['one with a part of the subject', CLIENTS.issue({ names: ['bob'] }), refusedFor('no client of')],
  ])('and with %s is answered with 401 and why', async (_, shown, want) => {
    const { ask } = await tlsApi(ALL)
    const { status, json } = await ask('/api/v1/status', shown)
    expect({ status, ...json }).toMatchObject({
      ...{ status: want.status, code: want.code },
      ...('cause' in want && { cause: expect.stringContaining(want.cause) }),
    })
  })

  test('never where its certificate fits two clients, whatever their order', async () => {
    const both = [BOB, client('bob-2', 'viewer', { san: 'DNS:bob' })]
    for (const clients of [both, both.toReversed()]) {
      const { ask } = await tlsApi(clients)
      expect((await ask('/api/v1/status', bob)).json).toMatchObject({
        code: 'API_CERTIFICATE_REFUSED',
        cause: expect.stringContaining('several clients'),
      })
    }
  })

  test('and what is open to anybody asks for none', async () => {
    const { ask } = await tlsApi(ALL)
    for (const path of ['/healthz', '/readyz', '/metrics'])
      for (const shown of [null, bob, STRANGERS.issue({ names: ['x'] })])
        expect((await ask(path, shown)).status).toBe(200)
  })

  test('until it expires, also on a connection that stands', async () => {
    const clock = createFakeClock(Date.now())
    const { ask } = await tlsApi(ALL, { clock })
    const over = agentOf(bob)
    expect((await ask('/api/v1/status', bob, { over })).status).toBe(200)
    clock.advance(91 * 86_400_000)
    expect((await ask('/api/v1/status', bob, { over })).json.cause).toContain('has expired since')
    await over.close()
  })

  test('while the config names it: a client that is taken out there is gone at once', async () => {
    let clients: readonly ApiClient[] = ALL
    const { ask } = await tlsApi([], { clients: () => clients })
    const over = agentOf(bob)
    expect((await ask('/api/v1/status', bob, { over })).status).toBe(200)
    clients = [MESH]
    expect((await ask('/api/v1/status', bob, { over })).json.code).toBe('API_CERTIFICATE_REFUSED')
    await over.close()
  })

  test('and is in the audit by its name and its fingerprint', async () => {
    const { ask, audited } = await tlsApi(ALL)
    await ask('/api/v1/reload', bob, { method: 'POST' })
    const subject = expect.stringMatching(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/)
    expect(audited).toMatchObject([{ actor: 'bob', via: 'certificate', subject, session: null, status: 200 }])
  })

  test('and is counted by its name', async () => {
    const { ask } = await tlsApi(ALL, { rates: () => ({ reads: 1, changes: 9, refusals: 9 }) })
    expect((await ask('/api/v1/status', bob)).status).toBe(200)
    expect((await ask('/api/v1/status', bob)).json.code).toBe('API_RATE_LIMITED')
    const mesh = CLIENTS.issue({ names: ['spiffe://shop.example/ns/a/sa/b'] })
    expect((await ask('/api/v1/status', mesh)).status).toBe(200)
  })
})

describe('what is sent on purpose counts, and alone', () => {
  const bearer = (token: string) => ({ authorization: `Bearer ${token}` })

  test.each([
    ['a token', bearer(VIEWER_TOKEN), bob, { status: 200, name: 'grafana' }],
    [
      'a token beside a certificate that counts for nothing',
      bearer(VIEWER_TOKEN),
      selfSigned({ names: ['x'] }),
      { status: 200 },
    ],
    ['a token that nobody has', bearer('nonsense'), bob, NOBODY],
    ['a header that is no token', { authorization: 'Negotiate x' }, bob, NOBODY],
    ['an empty header', { authorization: '' }, bob, NOBODY],
    ['a session that never began', { cookie: '__Host-headgate=x' }, bob, NOBODY],
  ])('%s', async (_, headers, shown, want) => {
    const { ask } = await tlsApi(ALL, { tokens: () => TOKENS })
    const { status, json } = await ask('/api/v1/session', shown, { headers })
    expect({ status, ...json }).toMatchObject(want)
  })

  test('and a token is not helped by the role of a certificate', async () => {
    const { ask } = await tlsApi(ALL)
    const asked = { method: 'POST', headers: bearer(OPERATOR_TOKEN) } as const
    expect((await ask('/api/v1/reload', bob, asked)).json.code).toBe('API_FORBIDDEN')
  })

  test('and a certificate begins no session', async () => {
    const { ask } = await tlsApi(ALL)
    expect((await ask('/api/v1/session', bob, { method: 'POST' })).json.code).toBe('API_UNAUTHENTICATED')
  })

  test('and without tokens, clients are enough to close what was open', async () => {
    const { ask } = await tlsApi(ALL, { tokens: () => [] })
    expect((await ask('/api/v1/status', null)).json.code).toBe('API_UNAUTHENTICATED')
    expect((await ask('/api/v1/reload', bob, { method: 'POST' })).status).toBe(200)
  })
})

describe('a browser shows its certificate by itself, so of a change by it alone', () => {
  test.each([
    ['a program, which tells nothing', {}, 200],
    ['our own page', { origin: 'OWN', 'sec-fetch-site': 'same-origin' }, 200],
    [
      'our own page by its public URL',
      { origin: 'https://headgate.example.com', 'sec-fetch-site': 'same-origin' },
      200,
    ],
    ['a strange page', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }, 403],
    ['a page of a sister name', { origin: 'https://x.example.com', 'sec-fetch-site': 'same-site' }, 403],
    ['a page that hides its origin', { origin: 'null', 'sec-fetch-site': 'cross-site' }, 403],
    ['a browser that tells the origin alone', { origin: 'https://evil.example' }, 403],
    ['a form without an origin', { 'sec-fetch-site': 'cross-site' }, 403],
    ['our own page over plain HTTP', { origin: 'PLAIN' }, 403],
  ])('what comes from %s', async (_, given, status) => {
    const { ask, url } = await tlsApi(ALL, { publicUrl: () => 'https://headgate.example.com' })
    const own = { OWN: url, PLAIN: url.replace('https', 'http') }
    const headers: Record<string, string> = Object.fromEntries(
      Object.entries(given).map(([key, value]) => [
        key,
        Object.entries(own).find(([one]) => one === value)?.[1] ?? value,
      ]),
    )
    const answer = await ask('/api/v1/reload', bob, { method: 'POST', headers })
    expect(answer.status).toBe(status)
    if (status === 403) expect(answer.json.code).toBe('API_CSRF_REFUSED')
    // A read shows a strange page nothing: no answer allows it to look.
    const read = await ask('/api/v1/status', bob, { headers })
    expect([read.status, read.headers['access-control-allow-origin']]).toEqual([200, undefined])
  })

  test('a token beside it needs none of this', async () => {
    const { ask } = await tlsApi(ALL, {
      tokens: () => [...TOKENS, { ...BOB, name: 'root', token: '${env:ROOT}' }],
      secret: () => 'root',
    })
    const headers = { origin: 'https://evil.example', authorization: 'Bearer root' }
    expect((await ask('/api/v1/reload', bob, { method: 'POST', headers })).status).toBe(200)
  })
})

describe('each role by a certificate', () => {
  const ROLES: readonly Role[] = ['viewer', 'approver', 'operator', 'admin', 'webhook']
  const CAN: Readonly<Record<string, readonly Role[]>> = {
    'GET /api/v1/status': ['viewer', 'approver', 'operator', 'admin'],
    'GET /openapi.json': ['viewer', 'approver', 'operator', 'admin'],
    'POST /api/v1/workloads/checkout/commands': ['approver', 'operator', 'admin'],
    'POST /api/v1/commands': ['operator', 'admin'],
    'POST /api/v1/webhooks/alertmanager': ['operator', 'admin', 'webhook'],
    'POST /api/v1/reload': ['admin'],
  }

  test.each(ROLES)('%s may do what it may by a token', async (role) => {
    const { ask } = await tlsApi([client('one', role, { san: 'DNS:one' })])
    const shown = CLIENTS.issue({ names: ['one'] })
    for (const [route, allowed] of Object.entries(CAN)) {
      const [method, path = ''] = route.split(' ')
      const body = { command: path.includes('workloads') ? 'approve' : 'pause', reason: 'a test' }
      const { status } = await ask(path, shown, method === 'POST' ? { method, body } : {})
      if (allowed.includes(role)) expect([200, 202, 400, 404], route).toContain(status)
      else expect(status, route).toBe(403)
    }
  })

  test.each([ALERTS, BOB])('an alert comes by a certificate of the role $role', async (who) => {
    const { ask, service } = await tlsApi([who])
    const body = {
      version: '4',
      status: 'firing',
      receiver: 'x',
      groupLabels: {},
      commonLabels: {},
      commonAnnotations: {},
      externalURL: '',
      groupKey: 'x',
      truncatedAlerts: 0,
      alerts: [],
    }
    const { status } = await ask('/api/v1/webhooks/alertmanager', who === BOB ? bob : alertmanager, {
      method: 'POST',
      body,
    })
    expect(status).toBe(service.alertmanager === null ? 404 : 200)
  })
})

describe('new files', () => {
  test('are for new connections, and those that stand go on', async () => {
    const { ask, put, tls, url } = await tlsApi(ALL)
    const over = agentOf(bob)
    await ask('/api/v1/status', bob, { over })
    const before = await shownBy(url)
    put(SERVERS.issue({ names: ['127.0.0.1'] }))
    tls.refresh()
    expect(await shownBy(url)).not.toBe(before)
    expect((await ask('/api/v1/status', bob, { over })).status).toBe(200)
    await over.close()
  })

  test.each([
    ['has no certificate', 'tls.crt', 'nothing'],
    ['has the key of another certificate', 'tls.key', SERVERS.issue({ names: ['x'] }).key],
    ['has no key', 'tls.key', '-----BEGIN PRIVATE KEY-----\nc2VjcmV0LWtleQ==\n-----END PRIVATE KEY-----\n'],
    ['has no authority', 'ca.crt', ''],
  ])('are not taken where one %s, and nothing of them is told', async (_, name, text) => {
    const { write, tls, url, tlsLog, ask } = await tlsApi(ALL)
    const before = await shownBy(url)
    write(name, text)
    tls.refresh()
    expect(await shownBy(url)).toBe(before)
    expect((await ask('/api/v1/status', bob)).status).toBe(200)
    expect((await ask('/api/v1/status', STRANGERS.issue({ names: ['bob'] }))).status).toBe(401)
    expect(tlsLog.join()).toContain('the old ones stay')
    for (const line of text.split('\n').filter((one) => /^[\w+/=]{8,}$/.test(one)))
      expect(tlsLog.join()).not.toContain(line)
  })

  test('with other authorities end what stood by the old ones', async () => {
    const { ask, write, tls } = await tlsApi(ALL)
    const over = agentOf(bob)
    expect((await ask('/api/v1/status', bob, { over })).status).toBe(200)
    write('ca.crt', STRANGERS.cert)
    tls.refresh()
    expect((await ask('/api/v1/status', bob)).json.code).toBe('API_CERTIFICATE_REFUSED')
    const stranger = STRANGERS.issue({ names: ['bob'], organization: 'Shop' })
    expect((await ask('/api/v1/status', stranger)).json).not.toHaveProperty('code')
    await over.close()
  })

  test('with other authorities let nobody act on a connection that is in use', async () => {
    const { service, tls, write, url } = await tlsApi(ALL)
    const socket = connectTls({ ...addressOf(url), ca: SERVERS.cert, cert: bob.cert, key: bob.key })
    const received = collected(socket)
    socket.write('GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n')
    await received('event: ready')
    write('ca.crt', STRANGERS.cert)
    tls.refresh()
    // The stream looks again who reads with each row.
    service.append(fakeEvent('catalog'))
    await received('0\r\n\r\n')
    socket.write('POST /api/v1/reload HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n')
    const text = await received('API_IDENTITY_UNAVAILABLE')
    expect(text).toMatch(/HTTP\/1\.1 503.*connection: close/is)
    socket.destroy()
  })
})

describe('what is no TLS', () => {
  test('is cut, and the next one is served', async () => {
    const { ask, url } = await tlsApi(ALL)
    const socket = connect(addressOf(url))
    socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')
    const text = await new Promise<string>((done) => {
      let all = ''
      socket
        .on('data', (chunk) => (all += chunk))
        .on('error', () => {})
        .on('close', () => done(all))
    })
    expect(text).not.toContain('HTTP/1.1 200')
    expect((await ask('/healthz', null)).status).toBe(200)
  })
})

describe('names in a certificate', () => {
  test.each([
    ['DNS:a, URI:spiffe://x/y, email:z@example.com', ['DNS:a', 'URI:spiffe://x/y', 'email:z@example.com']],
    ['DNS:"x, DNS:admin, y"', ['DNS:"x, dns:admin, y"']],
    ['', []],
  ])('%s', (text, want) => {
    expect(namesOf(text)).toEqual(want)
  })

  test('of a quoted one no part passes for another', () => {
    fc.assert(
      fc.property(fc.string(), (inside) => {
        const quoted = JSON.stringify(`${inside}, DNS:admin, ${inside}`)
        expect(namesOf(`DNS:a, URI:${quoted}, DNS:b`)).not.toContain('DNS:admin')
      }),
    )
  })

  test.each([
    ['O=Shop\nCN=bob', 'CN=bob,O=Shop'],
    ['CN=a\\, b', 'CN=a\\, b'],
    ['C=DE\nO=A + OU=B\nCN=x', 'CN=x,O=A+OU=B,C=DE'],
  ])('a subject is read as RFC 2253 writes it', (written, want) => {
    expect(rfc2253(written)).toBe(want)
  })
})

function addressOf(url: string) {
  return { host: '127.0.0.1', port: Number(new URL(url).port) }
}

/** Waits until so much has come. */
function collected(socket: ReturnType<typeof connectTls>) {
  let all = ''
  let look = () => {}
  socket.on('data', (chunk) => {
    all += chunk
    look()
  })
  return (text: string) =>
    new Promise<string>((done) => {
      look = () => {
        if (all.includes(text)) done(all)
      }
      look()
    })
}
