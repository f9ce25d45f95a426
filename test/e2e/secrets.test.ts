import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { request } from 'undici'
import { expect, onTestFinished, test } from 'vitest'
import { startHeadgate } from '../support/headgate.ts'
import { answeringVector, refusing } from '../support/prometheus-answers.ts'
import { until } from '../support/until.ts'
import { type Answer, answering, startWebServer, type WebServer } from '../support/web-server.ts'
import { PATIENT } from './case.ts'

/** Canaries: whoever finds one where it does not belong knows which secret it was. */
const canary = (name: string) => `canary-${name}-${randomBytes(8).toString('hex')}`
const SECRETS = {
  prometheus: canary('prometheus'),
  provider: canary('provider'),
  viewer: canary('viewer'),
  operator: canary('operator'),
  grafana: canary('grafana'),
  otlp: canary('otlp'),
  admin: canary('admin'),
  person: canary('person'),
  wrong: canary('wrong'),
  literal: canary('literal'),
}
const BASIC_PAIR = Buffer.from(`headgate:${SECRETS.prometheus}`).toString('base64')
/** As one that an identity provider signed would look. */
const PERSON_TOKEN = `${Buffer.from('{"alg":"ES256","kid":"one"}').toString('base64url')}.${Buffer.from(SECRETS.person).toString('base64url')}.c2ln`
/** In the ways in which they were sent. */
const NEVER_SHOWN = [...Object.values(SECRETS), BASIC_PAIR, PERSON_TOKEN]

const JOURNAL = '/api/v1/journal?limit=1000'
const VIEWS = ['/api/v1/status', '/api/v1/workloads', '/api/v1/workloads/search', '/api/v1/workloads/checkout', JOURNAL]
const SHOWN = ['/api/v1/fleet', '/api/v1/decommission', '/api/v1/report?format=json', '/api/v1/report?format=md']
const PATHS = [...VIEWS, ...SHOWN, '/healthz', '/readyz', '/metrics', '/openapi.json', '/nowhere']

const said = ({ headers }: { headers: object }) => `you sent ${JSON.stringify(headers)}`

/** Repeats what it was sent, in turn in all the ways that an answer has. Seven: each query of a sweep gets to each. */
function echoingPrometheus(): Answer {
  const answers: readonly Answer[] = [
    (response, got) => refusing(400, 'bad_data', said(got))(response, got),
    (response, got) => answeringVector([], [said(got)])(response, got),
    (response, got) => answering(500, said(got))(response, got),
    (response, got) => response.writeHead(302, { location: `/?${got.headers.authorization}` }).end(),
    (response, got) => response.writeHead(401, { 'www-authenticate': got.headers.authorization ?? '' }).end(said(got)),
    (response, got) => refusing(503, 'timeout', said(got))(response, got),
    (response, got) => {
      const data = { resultType: got.headers.authorization, result: [] }
      answering(200, JSON.stringify({ status: 'success', data }))(response, got)
    },
  ]
  let turn = 0
  return (response, got) => answers[turn++ % answers.length]?.(response, got)
}

/** Lets its splits be read, and refuses each change in the words of the one who asked. */
const echoingProvider: Answer = (response, got) => {
  const splits = { search: { weightPercent: 0 }, checkout: { weightPercent: 0 } }
  if (got.method === 'GET') return answering(200, JSON.stringify({ splits }))(response, got)
  const code = got.headers.authorization ?? ''
  return answering(403, JSON.stringify({ code, message: said(got) }))(response, got)
}

test.each([
  ['a bearer token', '{ bearer: "${env:PROMETHEUS_TOKEN}" }', `Bearer ${SECRETS.prometheus}`],
  ['a password', '{ basic: { username: headgate, password: "${env:PROMETHEUS_TOKEN}" } }', `Basic ${BASIC_PAIR}`],
])('no secret is shown, logged or stored, though every server repeats it: %s', PATIENT, async (_, auth, header) => {
  const scene = await startScene(auth)
  const { prometheus, provider, grafana, receiver, headgate, ask, journaled } = scene
  const command = { command: 'pause', reason: 'to see who may' }
  const refused = await ask('/api/v1/workloads/search/commands', SECRETS.wrong, command)
  const forbidden = await ask('/api/v1/workloads/search/commands', SECRETS.viewer, command)
  const unknown = await ask('/api/v1/workloads/search/commands', PERSON_TOKEN, command)
  const hidden = await ask(`/api/v1/status?token=${SECRETS.wrong}`, SECRETS.wrong)
  const reloaded = await ask('/api/v1/reload', SECRETS.admin, {})
  await journaled('write-failed')
  const taken = await ask('/api/v1/workloads/search/commands', SECRETS.operator, command)
  await journaled('command-done')
  await until('spans for their receiver', () => receiver.requests.length > 0)
  await until('a mark for Grafana', () => grafana.requests.length > 0)
  await until('every answer of Prometheus', () => prometheus.requests.length >= 14)
  const echoed = await until('a reading with Prometheus’s own words', async () => {
    const view = await ask('/api/v1/workloads/checkout', SECRETS.viewer)
    return view.includes('you sent') && view
  })
  scene.slip()
  await journaled('config-rejected')
  const notReloaded = await ask('/api/v1/reload', SECRETS.admin, {})

  const answers = new Map([
    ['a wrong token', refused],
    ['a viewer’s command', forbidden],
    ['an operator’s command', taken],
    ['a person’s command', unknown],
    ['a token in a query', hidden],
    ['a reload', reloaded],
    ['a reload that is refused', notReloaded],
    ['a reading', echoed],
  ])
  for (const path of PATHS) answers.set(path, await ask(path, SECRETS.operator))
  const running = scene.stored('while it runs')
  await headgate.stop()
  const places = new Map([...answers, ...running, ...scene.stored('at rest'), ['its log', headgate.log()]])

  // First, that there was something to find.
  const sentTo = ({ requests }: WebServer) => new Set(requests.map(({ headers }) => headers.authorization))
  expect(sentTo(prometheus)).toEqual(new Set([header]))
  expect(sentTo(provider)).toEqual(new Set([`Bearer ${SECRETS.provider}`]))
  expect(sentTo(receiver)).toEqual(new Set([`Basic ${SECRETS.otlp}`]))
  expect(places.get('its log')).toContain('spans are refused')
  expect(sentTo(grafana)).toEqual(new Set([`Bearer ${SECRETS.grafana}`]))
  const statuses = [refused, forbidden, taken, unknown, hidden, reloaded, notReloaded].map((one) => one.slice(0, 3))
  expect(statuses).toEqual(['401', '403', '202', '503', '401', '200', '409'])
  expect(places.get('audit.jsonl at rest')).toContain('"command":{"command":"pause"')
  expect(places.get('its log')).toContain('a source answered with a warning')
  expect(places.get(JOURNAL)).toContain('the provider answered 403')
  expect([...places.keys()]).toContain('headgate.db while it runs')
  expect(places.get('headgate.db at rest')).toContain('the provider answered 403')

  const found = [...places].flatMap(([place, text]) =>
    NEVER_SHOWN.filter((secret) => text.includes(secret)).map((secret) => `${place} shows ${secret}`),
  )
  expect(found).toEqual([])
})

/** Headgate between servers that repeat what they are sent; all of it ends with the test. */
async function startScene(auth: string) {
  const [prometheus, provider] = [await startWebServer(echoingPrometheus()), await startWebServer(echoingProvider)]
  const service = await startWebServer(answering(200, 'ok'))
  const receiver = await startWebServer((response, got) => answering(400, said(got))(response, got))
  const grafana = await startWebServer((response, got) => answering(500, said(got))(response, got))
  const [folder, secrets] = [temporaryFolder(), temporaryFolder()]
  writeFileSync(join(secrets, 'provider'), `${SECRETS.provider}\n`)
  writeFileSync(join(secrets, 'viewer'), SECRETS.viewer)
  const configPath = join(folder, 'headgate.yaml')
  const config = configText({ prometheus, provider, grafana, receiver, service, secrets, auth })
  writeFileSync(configPath, config)
  const headgate = await startHeadgate(configPath, {
    logLevel: 'debug',
    env: {
      ...{ PROMETHEUS_TOKEN: SECRETS.prometheus, OPERATOR_TOKEN: SECRETS.operator },
      ...{ ADMIN_TOKEN: SECRETS.admin, GRAFANA_TOKEN: SECRETS.grafana },
      OTLP_AUTH: `Basic ${SECRETS.otlp}`,
    },
  })
  onTestFinished(() => headgate.kill())

  /** Status, headers and body. */
  const ask = async (path: string, token: string, body?: object) => {
    const answer = await request(`${headgate.url}${path}`, {
      method: body ? 'POST' : 'GET',
      headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    })
    return `${answer.statusCode} ${JSON.stringify(answer.headers)} ${await answer.body.text()}`
  }
  return {
    prometheus,
    provider,
    grafana,
    receiver,
    headgate,
    ask,
    journaled: (type: string) =>
      until(`the event ${type}`, async () => (await ask(JOURNAL, SECRETS.viewer)).includes(`"${type}"`), headgate.log),
    /** Writes a secret itself where its reference belongs. */
    slip: () => writeFileSync(configPath, config.replace('${env:PROMETHEUS_TOKEN}', SECRETS.literal)),
    /** The files that Headgate wrote, byte by byte. */
    stored: (when: string) =>
      readdirSync(folder)
        .filter((name) => name !== 'headgate.yaml')
        .map((name) => [`${name} ${when}`, readFileSync(join(folder, name), 'latin1')] as const),
  }
}

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-secrets-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

interface Place {
  readonly prometheus: { readonly url: string }
  readonly provider: { readonly url: string }
  readonly grafana: { readonly url: string }
  readonly receiver: { readonly url: string }
  readonly service: { readonly port: number }
  /** The folder of the secret files. */
  readonly secrets: string
  readonly auth: string
}

/** Two workloads: `search` has a probe that passes, so it comes to write; `checkout` waits for Prometheus. */
function configText({ prometheus, provider, grafana, receiver, service, secrets, auth }: Place): string {
  const traffic = (split: string) =>
    `{ http: { url: "${provider.url}", split: ${split}, token: "\${file:${secrets}/provider}" } }`
  return `apiVersion: headgate/v1
migration: secrets
clusters: { old: prod-a, new: prod-b }
sweep: 1s
api:
  port: 0
  tokens:
    - { name: grafana, role: viewer, token: "\${file:${secrets}/viewer}" }
    - { name: ada, role: operator, token: "\${env:OPERATOR_TOKEN}" }
    - { name: root, role: admin, token: "\${env:ADMIN_TOKEN}" }
  oidc: { issuer: "http://127.0.0.1:${service.port}", audience: headgate, groups: [{ group: sre, role: admin }] }
  audit: { path: audit.jsonl }
notify:
  channels: [{ name: graphs, to: { grafana: { url: "${grafana.url}", token: "\${env:GRAFANA_TOKEN}" } } }]
telemetry: { tracing: { url: "${receiver.url}/v1/traces", headers: { authorization: "\${env:OTLP_AUTH}" } } }
sources:
  prometheus: { url: "${prometheus.url}", auth: ${auth} }
slis:
  availability: { objective: 99%, total: http_requests_total, bad: 'http_requests_total{code=~"5.."}' }
workloads:
  - name: search
    slis: []
    traffic: ${traffic('search')}
    probes: [{ url: "http://search.test/", address: { new: "127.0.0.1:${service.port}" } }]
  - { name: checkout, traffic: ${traffic('checkout')} }
`
}
