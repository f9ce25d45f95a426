import type { Canaries } from './canaries.ts'

/** Where those answer whom the config names. */
export interface CanaryServers {
  /** For everybody who takes http on this machine. */
  readonly url: string
  /** For what takes TLS alone. */
  readonly tlsUrl: string
  readonly smtp: { readonly host: string; readonly port: number }
  /** Healthy: a probe passes there. */
  readonly servicePort: number
}

/** Of secrets that exclude each other, these. */
export type Kind = 'tokens' | 'credentials'

/** What tests look at. */
export interface CanaryConfig {
  readonly [key: string]: unknown
  readonly notify: { readonly channels: readonly object[] }
  readonly workloads: readonly { readonly name: string; readonly [key: string]: unknown }[]
}

/** Keys that stand for any name. */
export const FREE_KEYS: readonly string[] = ['policies', 'slis', 'telemetry.tracing.headers']

const GUID = '0b1f6471-1bf0-4dda-aec3-cb9272f09590'
const MATCH = ['alertname=~"TrafficDropped"']

/** A config with a canary wherever a secret may stand. `made`: what the secrets are that nobody has to read. */
export function canaryConfig(
  kind: Kind,
  { url, tlsUrl, smtp, servicePort }: CanaryServers,
  { plant }: Canaries,
  made: (canary: string) => string = (canary) => canary,
): CanaryConfig {
  const secret = (label: string) => plant(label, made)
  const hook = (label: string) => plant(label, (canary) => made(`${url}/services/${canary}`))
  const isTokens = kind === 'tokens'
  const auth = (name: string) =>
    isTokens
      ? { bearer: secret(`${name} bearer`) }
      : { basic: { username: 'headgate', password: secret(`${name} password`) } }
  const azure = (name: string) => ({
    ...{ subscription: GUID, endpoint: url, authority: tlsUrl },
    ...(isTokens
      ? { token: secret(`${name} token`) }
      : { credentials: { tenant: GUID, clientId: GUID, clientSecret: secret(`${name} secret`) } }),
  })
  const federation = (canary: string) =>
    made(
      JSON.stringify({
        ...{ type: 'external_account', audience: '//iam.googleapis.com/x', token_url: `${url}/token` },
        subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
        credential_source: { url: `${url}/subject`, headers: { 'x-proof': canary } },
      }),
    )
  const split = (name: string) => ({ url, split: name, token: secret(`split ${name}`) })
  const probes = [{ url: 'http://search.test/', address: { new: `127.0.0.1:${servicePort}` } }]
  const channel = (name: string, to: object) => ({ name, to, severity: 'info', group: '0s' })
  return {
    ...{ apiVersion: 'headgate/v1', migration: 'canaries', clusters: { old: 'prod-a', new: 'prod-b' }, sweep: '2s' },
    api: {
      port: 0,
      tokens: [
        { name: 'root', role: 'admin', token: plant('api admin') },
        { name: 'other', role: 'viewer', token: secret('api viewer') },
      ],
      session: { key: secret('api session') },
      oidc: { issuer: url, audience: 'headgate', groups: [{ group: 'sre', role: 'admin' }] },
      audit: { path: 'audit.jsonl' },
    },
    sources: {
      prometheus: { url, auth: auth('prometheus') },
      loki: { url, auth: auth('loki') },
      tempo: { url, auth: auth('tempo') },
      datadog: { url, period: '10s', apiKey: secret('datadog key'), appKey: secret('datadog app') },
      'http-json': {
        ...{ url: `${url}/rows?q=$query&from=$fromMs`, auth: auth('http-json') },
        key: { header: 'x-key', prefix: 'Api-Token ', secret: secret('http-json key') },
        ...{ rows: '$.rows[*]', cluster: '$.cluster', workload: '$.workload', value: '$.value' },
      },
    },
    telemetry: { tracing: { url, headers: { authorization: secret('tracing') } } },
    alertmanager: { url, auth: auth('alertmanager'), silence: { matchers: MATCH } },
    providers: {
      'azure-front-door': azure('front door'),
      'azure-traffic-manager': azure('traffic manager'),
      cloudflare: { token: secret('cloudflare'), endpoint: url },
      'google-cloud-dns': {
        endpoint: url,
        ...(isTokens ? { token: secret('google token') } : { credentials: plant('google credentials', federation) }),
      },
      powerdns: { url, apiKey: secret('powerdns'), nameservers: [] },
    },
    notify: {
      channels: [
        channel('email', {
          email: {
            ...{ ...smtp, tls: 'never', user: 'headgate', password: secret('email') },
            ...{ from: 'headgate@example.com', to: ['oncall@example.com'] },
          },
        }),
        channel('grafana', { grafana: { url, token: secret('grafana') } }),
        channel('opsgenie', { opsgenie: { url: `${url}/opsgenie`, apiKey: secret('opsgenie') } }),
        channel('pagerduty', { pagerduty: { url: `${url}/pagerduty`, routingKey: secret('pagerduty') } }),
        channel('slack', { slack: { webhook: hook('slack webhook') } }),
        channel('slackbot', { slack: { url: `${url}/slack`, channel: 'C0123456789', token: secret('slack token') } }),
        channel('teams', { teams: { webhook: hook('teams webhook') } }),
        channel('webhook', { webhook: { url: `${url}/webhook`, signingKey: secret('webhook') } }),
      ],
    },
    policies: {
      hooked: { hooks: [{ name: 'smoke', at: 'preflight', http: { url: `${url}/hook`, signingKey: secret('hook') } }] },
    },
    slis: {
      availability: { source: 'prometheus', objective: '99%', total: 'requests_total', bad: 'requests_failed_total' },
      logged: {
        source: 'loki',
        objective: '99%',
        ask: {
          total: 'sum by (cluster, service) (count_over_time({job="a"}[$window]))',
          bad: 'sum by (cluster, service) (count_over_time({job="b"}[$window]))',
        },
      },
      asked: {
        source: 'datadog',
        objective: '99%',
        ask: { total: 'sum:a{*} by {cluster,service}.as_count()', bad: 'sum:b{*} by {cluster,service}.as_count()' },
      },
      traced: {
        source: 'tempo',
        objective: '99%',
        ask: {
          total: '{} | count_over_time() by (resource.cluster, resource.service)',
          bad: '{ status = error } | count_over_time() by (resource.cluster, resource.service)',
        },
      },
      told: { source: 'http-json', objective: '99%', ask: { total: 'all', bad: 'failed' } },
    },
    workloads: [
      { ...{ name: 'search', slis: [], probes }, traffic: { http: split('search') } },
      { ...{ name: 'hooked', policy: 'hooked', slis: [], probes }, traffic: { http: [split('hooked')] } },
      { name: 'back', traffic: { http: split('back') }, boomerang: { http: split('again') } },
      { name: 'forth', traffic: { http: split('forth') }, boomerang: { http: [split('over')] } },
      ...providerWorkloads(),
    ],
  }
}

function providerWorkloads(): CanaryConfig['workloads'] {
  const [oldId, newId] = ['0', '1'].map((digit) => digit.repeat(32))
  const addresses = { old: ['192.0.2.10'], new: ['198.51.100.10'] }
  const names = { old: 'blue', new: 'green', resourceGroup: 'edge', profile: 'shop' }
  const traffic: Readonly<Record<string, object>> = {
    'azure-front-door': { ...names, originGroup: 'checkout' },
    'azure-traffic-manager': names,
    cloudflare: { zone: '2'.repeat(32), loadBalancer: 'a.example.com', old: oldId, new: newId },
    'google-cloud-dns': { project: 'shop-prod', zone: 'example-com', record: 'b.example.com', ...addresses },
    powerdns: { zone: 'example.com', record: 'c.example.com', ...addresses },
  }
  return Object.entries(traffic).map(([kind, settings]) => ({ name: `by-${kind}`, traffic: { [kind]: settings } }))
}
