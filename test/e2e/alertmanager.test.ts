import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, type TestContext, test } from 'vitest'
import { type RealAlertmanager, startAlertmanager } from '../support/alertmanager.ts'
import { TOKEN } from '../support/headgate.ts'
import { createMigration, eventsOf, haproxyTraffic, type Migration } from '../support/migration.ts'
import { freePorts } from '../support/processes.ts'
import { requireServer } from '../support/servers.ts'
import { until } from '../support/until.ts'
import { serverWeightsOf, watchWeight } from '../support/weights.ts'
import { startWorld } from '../support/world.ts'
import { findServers, PATIENT } from './case.ts'

const SERVERS = findServers('e2e alertmanager')
const ALERTMANAGER = requireServer('prometheus-alertmanager', 'e2e alertmanager')

/** Headgate's own rules. One of them fires when nobody has scraped Headgate for a while, as here. */
const OWN_RULES = join(import.meta.dirname, '../../rules/headgate.yaml')

const FAILED = 'sum by (cluster, service) (rate(http_requests_total{code="500"}[4s]))'
const RULE = {
  alert: 'NewErrors',
  expr: `${FAILED} / sum by (cluster, service) (rate(http_requests_total[4s])) > 0.05`,
  labels: { severity: 'critical' },
  annotations: { summary: '{{ $value | humanizePercentage }} of the requests fail on {{ $labels.cluster }}' },
}
/** What has failed once stays a reason: it fires on when no traffic is there any more. */
const LASTING = { ...RULE, expr: 'sum by (cluster, service) (http_requests_total{code="500"}) > 5' }

describe.skipIf(SERVERS === null || ALERTMANAGER === null)('an alert of Prometheus, by way of Alertmanager', () => {
  test.concurrent('brings the weight to 0, and ends the silence of the step', PATIENT, async (context) => {
    const { world, alertmanager, migration } = await startAlertCase(context, RULE, [OWN_RULES])
    expect((await world.prometheus.ruleGroups()).toSorted()).toEqual(['headgate', 'tests'])
    await migration.start()
    await migration.event('catalog', 'weight-in-force')
    const silence = await until('the silence of the step', async () => activeSilence(alertmanager))
    expect(silence).toMatchObject({
      createdBy: 'headgate',
      comment: expect.stringMatching(/^\[run \w+ catalog \d+ \w+\]/),
    })
    expect(Date.parse(silence.endsAt)).toBeGreaterThan(Date.now())

    const watching = new AbortController()
    const { seen, ended } = watchWeight(world.haproxy, 'catalog', watching.signal)
    world.service('catalog').new.breakDown()
    const seenAtMs = until('the alert', async () => (await alertmanager.alerts())?.includes('NewErrors') && Date.now())
    const overAtMs = until('no silence', async () => (await activeSilence(alertmanager)) === null && Date.now())
    const confirmed = await migration.event('catalog', 'revert-confirmed')
    watching.abort()
    await ended
    const rows = await migration.journal('catalog')
    const [taken] = eventsOf(rows, 'alert-taken')
    const moments: readonly (readonly [number, string])[] = [
      [world.service('catalog').new.firstFailedAtMs ?? 0, 'the first request fails on NEW'],
      [await seenAtMs, 'Alertmanager has the alert'],
      [taken?.atMs ?? 0, `the alert is taken in: ${taken?.outcome}`],
      [seen.find(({ weightPercent }) => weightPercent === 0)?.atMs ?? 0, 'HAProxy’s weight is 0'],
      [confirmed.atMs, 'the revert is confirmed by reading back'],
      [await overAtMs, 'the silence is over'],
    ]
    const startedMs = moments[0]?.[0] ?? 0
    for (const [atMs, what] of moments)
      process.stdout.write(`${((atMs - startedMs) / 1000).toFixed(2).padStart(8)} s  ${what}\n`)
    // Without traffic on NEW the alert is over: that undoes nothing.
    await migration.event('catalog', 'alert-taken', ({ status }) => status === 'resolved')
    await expectOneRevert(migration)
    expect(await serverWeightsOf(world.haproxy, 'catalog')).toEqual({ old: 100, new: 0 })
    expect((await alertmanager.silences()).every(({ status }) => status.state === 'expired')).toBe(true)
  })

  test.concurrent(
    'reverts once, though Headgate and Alertmanager are killed while it is on its way',
    PATIENT,
    async (context) => {
      const { world, alertmanager, migration } = await startAlertCase(context, LASTING)
      await migration.start()
      await migration.event('catalog', 'weight-in-force')
      await migration.kill()
      world.service('catalog').new.breakDown()
      await until('a notification that nobody takes', async () => (await alertmanager.sent()).refused > 0)
      await alertmanager.kill()
      await alertmanager.start()
      await migration.start()
      // Killed again as soon as it has answered, whatever it has made of it by then.
      await until('a notification that is taken', async () => (await alertmanager.sent()).taken > 0)
      await migration.kill()
      // Alertmanager forgets what it has sent, and tells it all again.
      await alertmanager.kill()
      await alertmanager.start()
      const running = await migration.start()
      await until('the alert again', async () => (await alertmanager.sent()).taken > 0)
      await migration.event('catalog', 'revert-confirmed')
      await running.sweeps(3)
      await expectOneRevert(migration)
      expect(eventsOf(await migration.journal(), 'alert-taken')).toHaveLength(1)
      expect(eventsOf(await migration.journal(), 'alert-unmatched')).toEqual([])
      // Killed between the two writes of a pair, it finds all traffic on OLD, and leaves OLD's weight as it is.
      const { old, new: fresh } = await serverWeightsOf(world.haproxy, 'catalog')
      expect([old > 0, fresh]).toEqual([true, 0])
      await until('no silence is left', async () => (await activeSilence(alertmanager)) === null)
    },
  )

  test.concurrent('reverts once, though the store is locked when it comes', PATIENT, async (context) => {
    const { world, alertmanager, migration } = await startAlertCase(context)
    await migration.start()
    await migration.event('catalog', 'weight-in-force')
    const lock = new DatabaseSync(migration.storePath)
    const lockIt = () => {
      try {
        lock.exec('BEGIN IMMEDIATE')
        return true
      } catch {
        return false
      }
    }
    await until('the lock', lockIt)
    world.service('catalog').new.breakDown()
    await until('a notification that is refused', async () => (await alertmanager.sent()).refused > 0)
    expect((await serverWeightsOf(world.haproxy, 'catalog')).new).toBeGreaterThan(0)
    lock.exec('ROLLBACK')
    lock.close()
    await migration.event('catalog', 'revert-confirmed')
    await expectOneRevert(migration)
    expect(await serverWeightsOf(world.haproxy, 'catalog')).toEqual({ old: 100, new: 0 })
  })
})

async function expectOneRevert(migration: Migration): Promise<void> {
  const rows = await migration.journal('catalog')
  const taken = eventsOf(rows, 'alert-taken').filter(({ status }) => status === 'firing')
  expect(eventsOf(rows, 'revert-started')).toMatchObject([{ actor: 'alertmanager', toPercent: 0 }])
  expect(new Set(taken.map(({ factId }) => factId)).size).toBe(taken.length)
  expect(taken[0]).toMatchObject({ action: 'revert', outcome: 'it reverts' })
}

async function activeSilence(alertmanager: RealAlertmanager) {
  return (await alertmanager.silences()).find(({ status }) => status.state === 'active') ?? null
}

async function startAlertCase(
  { onTestFinished }: Pick<TestContext, 'onTestFinished'>,
  rule: object = RULE,
  ruleFiles: readonly string[] = [],
) {
  if (SERVERS === null || ALERTMANAGER === null) throw new Error('a suite without its servers is skipped')
  const [apiPort = 0] = await freePorts(1)
  const webhook = { url: `http://127.0.0.1:${apiPort}/api/v1/webhooks/alertmanager`, token: TOKEN }
  const alertmanager = await startAlertmanager(ALERTMANAGER, webhook)
  onTestFinished(alertmanager.stop)
  const alerting = { alertmanagerPort: alertmanager.port, rules: [rule], ruleFiles }
  const world = await startWorld(SERVERS, ['catalog'], { alerting })
  onTestFinished(world.stop)
  const migration = createMigration(
    world,
    ['catalog'],
    haproxyTraffic(world.haproxy.socketName),
    {},
    {
      apiPort,
      // What Headgate counts as bad never comes: the alert alone reverts.
      badCodes: '599',
      alertmanager: `
  receive: { resolved: clear }
  routes: [{ match: ['alertname="NewErrors"', severity=critical], action: revert, workloadLabel: service }]
  url: ${alertmanager.url}
  silence: { matchers: ['alertname="TrafficRose"'], atMost: 10m }`,
    },
  )
  onTestFinished(migration.stop)
  return { world, alertmanager, migration }
}
