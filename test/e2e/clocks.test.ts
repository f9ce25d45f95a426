import { describe, expect, type TestContext, test } from 'vitest'
import { createFalseClock } from '../support/clock.ts'
import { createMigration, eventsOf, haproxyTraffic, WEIGHTS_PERCENT } from '../support/migration.ts'
import { requireServer } from '../support/servers.ts'
import { serverWeightsOf } from '../support/weights.ts'
import { startWorld } from '../support/world.ts'
import { findServers, PATIENT } from './case.ts'

const SERVERS = findServers('e2e clocks')
const FAKETIME = requireServer('faketime', 'e2e clocks')
const SEVERAL_SWEEPS = 6

describe.skipIf(SERVERS === null || FAKETIME === null)('a clock of the machine that is set while traffic moves', () => {
  test.concurrent.for([3600, -3600])(
    '%i s off: no hold ends early and nothing is reverted; set right it goes on',
    PATIENT,
    async (offsetSeconds, context) => {
      const { world, clock, migration, headgate } = await startClockCase(context)
      await migration.event('catalog', 'weight-in-force', ({ weightPercent }) => weightPercent === 25)
      clock.set(offsetSeconds)
      const { seq: seqBefore = 0 } = (await migration.journal()).at(-1) ?? {}
      await migration.event('catalog', 'hold-added', ({ hold }) => hold.cause === 'blind')
      await headgate.sweeps(SEVERAL_SWEEPS)
      const since = (await migration.journal('catalog')).filter(({ seq }) => seq > seqBefore)
      expect(eventsOf(since, 'weight-intended')).toEqual([])
      expect(eventsOf(since, 'revert-started')).toEqual([])
      expect(await serverWeightsOf(world.haproxy, 'catalog')).toEqual({ old: 75, new: 25 })

      clock.set(0)
      await migration.event('catalog', 'phase-entered', ({ to }) => to === 'completed')
      const rows = await migration.journal('catalog')
      expect(eventsOf(rows, 'weight-intended').map(({ toPercent }) => toPercent)).toEqual(WEIGHTS_PERCENT)
    },
  )

  test.concurrent('back by 20 s in the midst of harm: it is reverted, once', PATIENT, async (context) => {
    const { world, clock, migration } = await startClockCase(context)
    await migration.event('catalog', 'weight-in-force', ({ weightPercent }) => weightPercent === 25)
    world.service('catalog').new.breakDown()
    clock.set(-20)
    await migration.event('catalog', 'phase-entered', ({ to }) => to === 'reverted')
    const rows = await migration.journal('catalog')
    expect(eventsOf(rows, 'weight-intended').map(({ toPercent }) => toPercent)).toEqual([10, 25, 0])
    expect(eventsOf(rows, 'revert-started')).toHaveLength(1)
    expect((await serverWeightsOf(world.haproxy, 'catalog')).new).toBe(0)
  })
})

async function startClockCase({ onTestFinished }: Pick<TestContext, 'onTestFinished'>) {
  if (SERVERS === null || FAKETIME === null) throw new Error('a suite without its servers is skipped')
  const clock = createFalseClock(FAKETIME)
  onTestFinished(clock.stop)
  const world = await startWorld(SERVERS, ['catalog'])
  onTestFinished(world.stop)
  const migration = createMigration(world, ['catalog'], haproxyTraffic(world.haproxy.socketName), clock.env)
  onTestFinished(migration.stop)
  return { world, clock, migration, headgate: await migration.start() }
}
