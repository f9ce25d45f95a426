import { request } from 'undici'
import { describe, expect, test } from 'vitest'
import { FAKE_ACCESS_KEY, fakePair, startFakeRoute53 } from '../fakes/route53.ts'
import { DASHBOARDS, exprsOf } from '../support/dashboards.ts'
import { createMigration, haproxyTraffic } from '../support/migration.ts'
import { startPrometheus } from '../support/prometheus.ts'
import { until } from '../support/until.ts'
import { startWorld } from '../support/world.ts'
import { findServers, PATIENT } from './case.ts'

const SERVERS = findServers('e2e dashboards')
const ZONE = 'Z0FAKE'

/** Panels that have no data in this run, and why. */
const WITHOUT_DATA: Readonly<Record<string, string>> = {
  'debug.json: Replicas': 'needs API servers of Kubernetes, and objects in the config',
}

describe.skipIf(SERVERS === null)('dashboards, asked of a real Prometheus that scrapes a real migration', () => {
  test('every query has data', PATIENT, async ({ onTestFinished }) => {
    if (SERVERS === null) throw new Error('a suite without its servers is skipped')
    const world = await startWorld(SERVERS, ['catalog', 'checkout', 'search'])
    onTestFinished(world.stop)
    // A provider with a quota: its record moves nobody, which is why `names` never gets far.
    const route53 = await startFakeRoute53()
    onTestFinished(route53.stop)
    route53.addZone(ZONE, 'example.com')
    route53.seed(ZONE, fakePair('names.example.com', 100, 0))
    const haproxy = haproxyTraffic(world.haproxy.socketName)
    const migration = createMigration(
      world,
      ['catalog', 'checkout', 'search', 'names'],
      {
        of: (name) =>
          name === 'names'
            ? `{ route53: { zone: ${ZONE}, record: names.example.com, old: blue, new: green } }`
            : haproxy.of(name),
        providers: `{ route53: { endpoint: "${route53.url}" } }`,
        fleet:
          '{ breaker: { reverts: 3, within: 1h }, signals: { own: { scraped: { query: "sum by (cluster) (up)", min: 1 } } } }',
      },
      { AWS_ACCESS_KEY_ID: FAKE_ACCESS_KEY, AWS_SECRET_ACCESS_KEY: 'none', AWS_REGION: 'us-east-1' },
    )
    onTestFinished(migration.stop)
    const startedSeconds = Date.now() / 1000
    const headgate = await migration.start()
    const prometheus = await startPrometheus(SERVERS.prometheus, [
      { port: Number(new URL(headgate.url).port), labels: {} },
    ])
    onTestFinished(prometheus.stop)

    await migration.event('search', 'weight-in-force', ({ weightPercent }) => weightPercent === 10)
    await headgate.command('search', 'halt', 'a look')
    await migration.event('checkout', 'weight-in-force', ({ weightPercent }) => weightPercent === 25)
    world.service('checkout').new.breakDown()
    await migration.event('checkout', 'revert-confirmed')
    await migration.event('catalog', 'phase-entered', ({ to }) => to === 'completed')
    await headgate.sweeps(2)

    const unanswered = async () => {
      const asked = await Promise.all(
        DASHBOARDS.flatMap(({ name, dashboard }) =>
          exprsOf(dashboard).map(async ({ title, expr }) => {
            const count = await samplesOf(prometheus.url, expr, startedSeconds)
            return count === 0 ? [`${name}: ${title}`] : []
          }),
        ),
      )
      return [...new Set(asked.flat())].sort()
    }
    // The newest scrape may not have seen the end yet.
    const wanted = Object.keys(WITHOUT_DATA).sort()
    let seen: readonly string[] = []
    await until(
      'every panel has data',
      async () => {
        seen = await unanswered()
        return seen.length === wanted.length
      },
      async () => seen.join('\n'),
    )
    expect(seen).toEqual(wanted)
  })
})

/** How many samples a query has in this run; throws when Prometheus does not take it. */
async function samplesOf(url: string, expr: string, startedSeconds: number): Promise<number> {
  const query = expr
    .replaceAll('$__rate_interval', '10s')
    .replaceAll('$__range_s', '120')
    .replaceAll('$__range', '2m')
    .replaceAll(/\$(?:migration|workload)/g, '.+')
  const range = { start: String(startedSeconds), end: String(Date.now() / 1000), step: '1s' }
  const { statusCode, body } = await request(`${url}/api/v1/query_range`, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ query, ...range }).toString(),
  })
  const answer = (await body.json()) as { error?: string; data?: { result: readonly { values: readonly unknown[] }[] } }
  if (statusCode !== 200) throw new Error(`${expr}: ${answer.error}`)
  return answer.data?.result.reduce((sum, { values }) => sum + values.length, 0) ?? 0
}
