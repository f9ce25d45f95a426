import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { request } from 'undici'
import { afterAll, beforeAll, expect, onTestFinished, type TestContext, test, vi } from 'vitest'
import { channelKinds } from '../../src/notify/registry.ts'
import { configShape } from '../../src/policy/shape.ts'
import { sourceKinds } from '../../src/sources/registry.ts'
import { trafficKinds } from '../../src/traffic/registry.ts'
import { createCanaries } from '../support/canaries.ts'
import { type CanaryConfig, type CanaryServers, canaryConfig, FREE_KEYS, type Kind } from '../support/canary-config.ts'
import { selfSigned } from '../support/certificates.ts'
import { runHere } from '../support/cli.ts'
import { echoing } from '../support/echoing.ts'
import { startHeadgate } from '../support/headgate.ts'
import { plantedPlaces, secretPlaces } from '../support/planted.ts'
import { startSmtpServer } from '../support/smtp.ts'
import { until } from '../support/until.ts'
import { answering, startWebServer, type WebServer } from '../support/web-server.ts'
import { PATIENT } from './case.ts'

const SOMEWHERE: CanaryServers = {
  ...{ url: 'http://127.0.0.1:1', tlsUrl: 'https://127.0.0.1:1', smtp: { host: '127.0.0.1', port: 1 }, servicePort: 1 },
}

test('a canary is planted wherever the config may have a secret: a new place must be planted in canary-config.ts', () => {
  const schema = configShape({ traffic: trafficKinds, sources: sourceKinds, channels: channelKinds })
  const kinds: readonly Kind[] = ['tokens', 'credentials']
  const planted = [
    // With a store that refuses nothing else is reached: it has a test of its own.
    ...plantedPlaces({ redis: redisAt('redis://127.0.0.1:1') }, FREE_KEYS),
    ...kinds.flatMap((kind) => plantedPlaces(canaryConfig(kind, SOMEWHERE, createCanaries()), FREE_KEYS)),
  ]
  expect([...new Set(planted)].sort()).toEqual(secretPlaces(schema))
})

const redisAt = (url: string) => ({ url, password: '${env:CANARY_REDIS}' })

test('no secret is shown where a Redis repeats how it was logged in to', PATIENT, async () => {
  const canaries = createCanaries()
  canaries.plant('redis')
  let received = ''
  const redis = createServer((socket) => {
    socket
      .on('error', () => socket.destroy())
      .on('data', (chunk) => {
        received += chunk
        socket.end(`-ERR you sent ${String(chunk).replaceAll(/\s+/g, ' ')}\r\n`)
      })
  })
  await new Promise<void>((resolve) => redis.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void redis.close())
  const { port } = redis.address() as AddressInfo
  const folder = mkdtempSync(join(tmpdir(), 'headgate-canaries-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const { workloads, ...rest } = canaryConfig('tokens', SOMEWHERE, canaries)
  const configPath = join(folder, 'headgate.yaml')
  const config = { ...rest, redis: redisAt(`redis://127.0.0.1:${port}`), workloads }
  writeFileSync(configPath, JSON.stringify(config))
  const told = await startHeadgate(configPath, { logLevel: 'debug', env: { ...canaries.env } }).then(
    async (headgate) => {
      await until('the login was seen', () => received.includes(canaries.of('redis')), headgate.log)
      await headgate.kill()
      return headgate.log()
    },
    (error: Error) => error.message,
  )
  expect(received).toContain(canaries.of('redis'))
  expect(canaries.shownIn(told)).toEqual([])
})

// Nothing leaves this machine: what is not on loopback finds no proxy.
beforeAll(() => {
  const away = { HTTPS_PROXY: 'http://127.0.0.1:1', HTTP_PROXY: 'http://127.0.0.1:1', NO_PROXY: '127.0.0.1' }
  for (const [name, value] of Object.entries(away)) vi.stubEnv(name, value)
})
afterAll(() => void vi.unstubAllEnvs())

interface Way {
  readonly kind: Kind
  /** Where the servers are, if not those that echo. */
  readonly servers: (echo: CanaryServers, context: TestContext) => Promise<CanaryServers>
  readonly made?: (canary: string) => string
  /** Some that must have come to a server: there was something to find. */
  readonly sent: readonly string[]
}

const same = async (echo: CanaryServers) => echo
const elsewhere = (url: string, host: string) => async (echo: CanaryServers) => ({
  ...{ ...echo, url, tlsUrl: url.replace('http:', 'https:'), smtp: { host, port: 1 } },
})
/** Too long for a label of DNS: no server of names is asked. */
const NOWHERE = `${'nowhere'.repeat(10)}.invalid`
const CHANNELS = ['email', 'grafana', 'opsgenie', 'pagerduty', 'slack webhook', 'slack token', 'teams webhook']
const PROVIDERS = ['cloudflare', 'powerdns', 'split search', 'split hooked', 'split back', 'split forth']
const EVERYWHERE = [...CHANNELS, ...PROVIDERS, 'datadog key', 'datadog app', 'http-json key', 'tracing']
const ASKED = ['prometheus', 'loki', 'tempo', 'alertmanager']
const BASIC = ASKED.map((name) => `${name} password`)
const CLOUDS = ['google', 'front door', 'traffic manager']
const WAYS: Readonly<Record<string, Way>> = {
  'repeats tokens': {
    ...{ kind: 'tokens', servers: same },
    sent: [
      ...EVERYWHERE,
      ...['http-json', ...ASKED].map((name) => `${name} bearer`),
      ...CLOUDS.map((name) => `${name} token`),
    ],
  },
  'repeats credentials': {
    ...{ kind: 'credentials', servers: same },
    // Azure's goes over TLS alone, and to nobody whose certificate is of nobody.
    sent: [...EVERYWHERE, ...BASIC, 'http-json password', 'google credentials'],
  },
  'gets secrets that no header takes': {
    ...{ kind: 'credentials', servers: same },
    // In bodies, paths, or base64.
    sent: [...BASIC, 'email', 'pagerduty', 'slack webhook', 'teams webhook'],
    made: (canary) => `${canary}\n\u0001é ${canary}`,
  },
  'is not there': { kind: 'tokens', servers: elsewhere('http://127.0.0.1:1', '127.0.0.1'), sent: [] },
  'has no address': { kind: 'credentials', servers: elsewhere(`https://${NOWHERE}`, NOWHERE), sent: [] },
  'has a certificate of nobody': {
    kind: 'tokens',
    servers: async (echo, { onTestFinished }) => {
      const tls = selfSigned({ names: ['127.0.0.1'] })
      const server = await startWebServer(echoing(), { tls, onTestFinished })
      return { ...echo, url: server.url, tlsUrl: server.url }
    },
    sent: ['email'],
  },
}

test.concurrent.for(Object.entries(WAYS))(
  'no secret is shown, logged, told or stored where a server %s',
  PATIENT,
  async ([, way], context) => {
    const { canaries, servers, headgate, ask, stored, configPath } = await startScene(way, context)
    const { sent } = way
    await headgate.sweeps(2)
    // One that does not begin anyway: `search` has to, for marks.
    const commands = '/api/v1/workloads/by-powerdns/commands'
    const paused = await ask(commands, { command: 'pause', reason: 'to be told of' })
    let metrics = ''
    // Marks are of steps, and where nothing can be read none begins.
    const triers = NOTIFY_TESTS.filter((name) => name !== 'grafana' || sent.includes(name))
    const untried = () => triers.filter((name) => !triedIn(metrics, name))
    await until(
      'every channel was tried',
      async () => {
        metrics = await ask('/metrics')
        return untried().length === 0
      },
      () => `not tried: ${untried()}`,
    )
    const unsent = () => sent.filter((label) => !canaries.shownIn(servers.received()).includes(label))
    await until(
      'all was sent that can be',
      () => unsent().length === 0,
      () => `not sent: ${unsent()}`,
    )
    await ask(commands, { command: 'resume', reason: 'to be told of' })
    await headgate.sweeps(3)

    const places = new Map([['a command', paused]])
    for (const path of [...PATHS, ...headgate.workloads.map((name) => `/api/v1/workloads/${name}`)])
      places.set(path, await ask(path))
    places.set('a session', await ask('/api/v1/session', {}))
    places.set('a person', await ask('/api/v1/status', undefined, 'Bearer eyJhbGciOiJFUzI1NiJ9.e30.c2ln'))
    places.set('the stream', await streamed(headgate.url, canaries.of('api admin')))
    for (const args of [
      ['validate', configPath],
      ['plan', configPath],
      ['doctor', configPath],
      ...NOTIFY_TESTS.map((name) => ['notify', 'test', name, '-c', configPath]),
    ]) {
      const { out, err } = await runHere(args, { env: { ...canaries.env } })
      places.set(`headgate ${args.join(' ')}`, out + err)
    }
    for (const [name, text] of stored('while it runs')) places.set(name, text)
    await headgate.stop()
    for (const [name, text] of stored('at rest')) places.set(name, text)
    places.set('its log', headgate.log())
    places.set('what a healthy receiver was told', servers.told())

    expect(places.get('a command')).toContain('202')
    expect(places.get('a person')).toMatch(/^503/)
    expect(places.get('what a healthy receiver was told')).toContain('to be told of')
    const found = [...places].flatMap(([place, text]) =>
      canaries.shownIn(text).map((label) => `${place} shows ${label}`),
    )
    expect(found).toEqual([])
  },
)

/** Whether a channel has been given something to tell, and something came of it. */
function triedIn(metrics: string, channel: string): boolean {
  return new RegExp(`^headgate_notifications_total\\{channel="${channel}",outcome="\\w+"\\} [1-9]`, 'm').test(metrics)
}

const NOTIFY_TESTS = ['email', 'grafana', 'opsgenie', 'pagerduty', 'slack', 'slackbot', 'teams', 'webhook']
const PATHS = [
  ...['/api/v1/status', '/api/v1/workloads', '/api/v1/fleet', '/api/v1/journal?limit=1000', '/api/v1/decommission'],
  ...['html', 'md', 'json', 'svg'].map((format) => `/api/v1/report?format=${format}`),
  ...['/api/v1/session', '/api/v1/journal/head', '/healthz', '/readyz', '/metrics', '/openapi.json', '/nowhere'],
]

/** Headgate with all its secrets, between servers that fail in one way; all of it ends with the test. */
async function startScene({ kind, servers: place, made }: Way, context: TestContext) {
  const { onTestFinished } = context
  const canaries = createCanaries()
  const echo = await startWebServer(echoing(), { onTestFinished })
  const service = await startWebServer(answering(200, 'ok'), { onTestFinished })
  const healthy = await startWebServer(answering(204, ''), { onTestFinished })
  const smtp = await startSmtpServer(onTestFinished)
  const logins: string[] = []
  smtp.answers = {
    AUTH: (line) => {
      logins.push(line)
      return `535 5.7.8 you sent ${line}`
    },
  }
  const folder = mkdtempSync(join(tmpdir(), 'headgate-canaries-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const usual: CanaryServers = {
    ...{ url: echo.url, tlsUrl: 'https://127.0.0.1:1', servicePort: service.port },
    smtp: { host: '127.0.0.1', port: smtp.port },
  }
  const at = await place(usual, context)
  const config = canaryConfig(kind, at, canaries, made)
  const configPath = join(folder, 'headgate.yaml')
  writeFileSync(configPath, JSON.stringify(withHealthy(config, healthy)))
  const env = { ...canaries.env, HEALTHY_KEY: 'key-of-a-healthy-receiver' }
  const headgate = await startHeadgate(configPath, { logLevel: 'debug', env })
  onTestFinished(() => headgate.kill())
  const admin = `Bearer ${canaries.of('api admin')}`
  const ask = async (path: string, body?: object, authorization = admin) => {
    const answer = await request(`${headgate.url}${path}`, {
      method: body ? 'POST' : 'GET',
      headers: { authorization, ...(body && { 'content-type': 'application/json' }) },
      ...(body && { body: JSON.stringify(body) }),
    })
    return `${answer.statusCode} ${JSON.stringify(answer.headers)} ${await answer.body.text()}`
  }
  return {
    ...{ canaries, ask, configPath },
    headgate: {
      ...headgate,
      sweeps: (count: number) => sweepsOf(ask, count),
      workloads: config.workloads.map(({ name }) => name),
    },
    servers: {
      received: () => JSON.stringify([echo.requests, logins]),
      told: () => JSON.stringify(healthy.requests),
    },
    stored: (when: string) =>
      readdirSync(folder)
        .filter((name) => name !== 'headgate.yaml')
        .map((name) => [`${name} ${when}`, readFileSync(join(folder, name), 'latin1')] as const),
  }
}

/** With one more receiver of notifications, which works. */
function withHealthy(config: CanaryConfig, { url }: WebServer): object {
  const to = { webhook: { url, signingKey: '${env:HEALTHY_KEY}' } }
  const channels = [...config.notify.channels, { name: 'healthy', to, severity: 'info', group: '0s' }]
  return { ...config, notify: { channels } }
}

type Ask = (path: string, body?: object) => Promise<string>

async function sweepsOf(ask: Ask, count: number): Promise<void> {
  const seen = new Set<string>()
  await until(`${count} sweeps`, async () => {
    seen.add(/"lastSweepAtMs":(\d+|null)/.exec(await ask('/api/v1/status'))?.[1] ?? '')
    // The first one seen may have begun before.
    return seen.size > count + 1
  })
}

/** All rows of the journal, as the stream has them. */
async function streamed(url: string, token: string): Promise<string> {
  const signal = AbortSignal.timeout(120_000)
  const headers = { authorization: `Bearer ${token}` }
  const { body } = await request(`${url}/api/v1/stream?afterSeq=0`, { headers, signal })
  let text = ''
  for await (const chunk of body) {
    text += chunk
    if (text.includes('hold-removed')) return text
  }
  throw new Error(`the stream ended: ${text}`)
}
