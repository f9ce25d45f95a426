import type { FastifyInstance } from 'fastify'
import { onTestFinished } from 'vitest'
import type { ApiLimits, ApiOptions } from '../../src/api/options.ts'
import { createApi } from '../../src/api/server.ts'
import { problem } from '../../src/core/problem.ts'
import { type ApiToken, EVERYTHING } from '../../src/policy/access.ts'
import type { AuditEntry } from '../../src/ports/audit.ts'
import type { Log } from '../../src/ports/runtime.ts'
import { createRandom, systemClock } from '../../src/telemetry/runtime.ts'
import { fakeResiduals } from '../fakes/residuals.ts'
import { createFakeService, type FakeService } from '../fakes/service.ts'

export const VIEWER_TOKEN = 'viewer-token-4f1b'
export const OPERATOR_TOKEN = 'operator-token-9c2d'
export const WEBHOOK_TOKEN = 'webhook-token-71aa'

export const TOKENS: readonly ApiToken[] = [
  { name: 'grafana', role: 'viewer', approves: [], scope: EVERYTHING, token: '${env:VIEWER}' },
  { name: 'ada', role: 'operator', approves: [], scope: EVERYTHING, token: '${env:OPERATOR}' },
  { name: 'alerts', role: 'webhook', approves: [], scope: EVERYTHING, token: '${env:WEBHOOK}' },
]

export interface TestApi {
  readonly app: FastifyInstance
  readonly service: FakeService
  readonly secrets: Map<string, string>
  /** Every line that was logged, as JSON. */
  readonly logged: string[]
  readonly audited: AuditEntry[]
}

/** An API over a fake service; closed when the test is over. */
export async function testApi(
  overrides: Partial<Omit<ApiOptions, 'limits'>> & { limits?: Partial<ApiLimits>; service?: FakeService } = {},
): Promise<TestApi> {
  const { service = createFakeService(), ...options } = overrides
  const logged: string[] = []
  const audited: AuditEntry[] = []
  const secrets = new Map([
    ['${env:VIEWER}', VIEWER_TOKEN],
    ['${env:OPERATOR}', OPERATOR_TOKEN],
    ['${env:WEBHOOK}', WEBHOOK_TOKEN],
  ])
  const app = await createApi({
    control: service.control,
    journal: service.journal,
    metrics: { contentType: 'text/plain; version=0.0.4; charset=utf-8', text: async () => 'headgate_up 1\n' },
    report: async ({ format, migration, plotPath }) => `${format} of ${migration} with ${plotPath}`,
    residuals: fakeResiduals(),
    alerts: service.alerts,
    alertmanager: () => service.alertmanager,
    host: '127.0.0.1',
    trustedProxies: [],
    tls: null,
    tokens: () => TOKENS,
    clients: () => [],
    oidc: () => null,
    rates: () => ({ reads: 1e6, changes: 1e6, refusals: 1e6 }),
    session: () => ({ key: null, maxHours: 8 }),
    startKey: 'a key of a test that nobody else has',
    publicUrl: () => null,
    teamOf: () => null,
    audit: (entry) => void audited.push(entry),
    reload: async () => ({ problems: [], changes: [] }),
    secret: (reference) => {
      const value = secrets.get(reference)
      if (value === undefined) throw problem('CONFIG_SECRET_UNRESOLVED', `${reference} is not set`)
      return value
    },
    clock: systemClock,
    random: createRandom(),
    log: collectingLog(logged),
    ...options,
  })
  onTestFinished(() => app.close())
  return { app, service, secrets, logged, audited }
}

/** What a page sends that has signed in with this token, and comes from our origin. */
export async function signIn(app: FastifyInstance, token: string, host = 'localhost:7474') {
  const response = await app.inject({
    method: 'POST',
    url: '/api/v1/session',
    headers: { host, authorization: `Bearer ${token}` },
  })
  if (response.statusCode !== 200) throw new Error(`no session: ${response.body}`)
  const [cookie] = response.cookies
  if (!cookie) throw new Error('no cookie')
  const csrfToken: string = response.json().csrfToken
  const headers = {
    host,
    cookie: `${cookie.name}=${cookie.value}`,
    'x-csrf-token': csrfToken,
    origin: `${cookie.secure ? 'https' : 'http'}://${host}`,
    'sec-fetch-site': 'same-origin',
  }
  return { headers, response, cookie, csrfToken }
}

/** The same, listening on loopback: on a free port, or on one where an API was closed before. */
export async function listeningApi({
  port = 0,
  ...overrides
}: Parameters<typeof testApi>[0] & { port?: number } = {}): Promise<TestApi & { readonly url: string }> {
  const api = await testApi(overrides)
  return { ...api, url: await api.app.listen({ host: '127.0.0.1', port }) }
}

function collectingLog(lines: string[]): Log {
  const write = (level: string) => (fields: object, message: string) => {
    lines.push(
      JSON.stringify({ level, ...fields, message }, (_key, value) =>
        value instanceof Error ? String(value.stack) : value,
      ),
    )
  }
  return { debug: write('debug'), info: write('info'), warn: write('warn'), error: write('error') }
}
