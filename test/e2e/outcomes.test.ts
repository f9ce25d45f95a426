import { request } from 'undici'
import { describe, expect, test } from 'vitest'
import { watchForHarm } from '../support/harm-timeline.ts'
import { eventsOf, WEIGHTS_PERCENT } from '../support/migration.ts'
import { serverWeightsOf } from '../support/weights.ts'
import { findServers, PATIENT, startCase } from './case.ts'

const SERVERS = findServers('e2e outcomes')

describe.skipIf(SERVERS === null)('a migration behind HAProxy, judged by Prometheus', () => {
  test.concurrent('a healthy workload ends at exactly 100 %, by HAProxy’s own counters', PATIENT, async (context) => {
    const { world, migration } = await startCase(SERVERS, ['catalog'], context)
    await migration.start()
    await migration.event('catalog', 'phase-entered', ({ to }) => to === 'completed')
    await world.stopLoad()
    const rows = await migration.journal('catalog')
    expect(eventsOf(rows, 'weight-intended').map(({ toPercent }) => toPercent)).toEqual(WEIGHTS_PERCENT)
    expect(eventsOf(rows, 'weight-confirmed').map(({ weightPercent }) => weightPercent)).toEqual(WEIGHTS_PERCENT)
    expect(await world.haproxy.failures('catalog')).toBe(0)
    expect((await serverWeightsOf(world.haproxy, 'catalog')).old).toBe(0)

    const before = await world.haproxy.requests('catalog')
    for (let sent = 0; sent < 200; sent++) await getOk(world.haproxy.port('catalog'))
    const after = await world.haproxy.requests('catalog')
    expect({ old: after.old - before.old, new: after.new - before.new }).toEqual({ old: 0, new: 200 })
  })

  test.concurrent(
    'a failing workload is brought back to 0, and the healthy one beside it goes on',
    PATIENT,
    async (context) => {
      const { world, migration } = await startCase(SERVERS, ['catalog', 'checkout'], context)
      const watching = watchForHarm(world, 'checkout')
      context.onTestFinished(watching.stop)
      const headgate = await migration.start()
      // It must have something left to do when the other one is back.
      await migration.event('catalog', 'weight-in-force', ({ weightPercent }) => weightPercent === 10)
      await headgate.command('catalog', 'pause', 'after you')
      await migration.event('checkout', 'weight-in-force', ({ weightPercent }) => weightPercent === 25)
      world.service('checkout').new.breakDown()
      const reverted = await migration.event('checkout', 'revert-confirmed')
      await headgate.command('catalog', 'resume', 'thanks')
      await migration.event('catalog', 'phase-entered', ({ to }) => to === 'completed')

      const rows = await migration.journal('checkout')
      const timeline = await watching.timeline(rows)
      process.stdout.write(`${timeline.text}\n`)
      const moments = timeline.moments.map(({ what }) => what)
      // How long each took is printed, and measured by `bench:reaction`. What polling sees within milliseconds of each
      // other can come in either order; what causes another cannot.
      expect(moments[0]).toBe('the first request fails on NEW')
      expect(new Set(moments.slice(1))).toEqual(
        new Set([
          'Prometheus’s counts meet the pair',
          'the revert is decided',
          'HAProxy’s weight is 0',
          'the revert is confirmed by reading back',
        ]),
      )
      expect(moments.indexOf('the revert is decided')).toBeLessThan(moments.indexOf('HAProxy’s weight is 0'))
      expect(rows.at(-1)?.event).toMatchObject({ type: 'phase-entered', to: 'reverted' })
      expect(eventsOf(rows, 'weight-intended').map(({ toPercent }) => toPercent)).toEqual([10, 25, 0])
      expect(await serverWeightsOf(world.haproxy, 'checkout')).toEqual({ old: 100, new: 0 })
      const others = eventsOf(await migration.journal('catalog'), 'weight-intended')
      expect(others.map(({ toPercent }) => toPercent)).toEqual(WEIGHTS_PERCENT)
      expect(
        others.filter(({ atMs }) => atMs > reverted.atMs),
        'catalog went on after the revert',
      ).not.toEqual([])
      expect((await serverWeightsOf(world.haproxy, 'catalog')).old).toBe(0)
    },
  )
})

async function getOk(port: number): Promise<void> {
  const { statusCode, body } = await request(`http://127.0.0.1:${port}/`)
  await body.dump()
  expect(statusCode).toBe(200)
}
