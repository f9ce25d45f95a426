import { describe, expect, test } from 'vitest'
import { eventsOf, WEIGHTS_PERCENT } from '../support/migration.ts'
import { serverWeightsOf, watchWeight } from '../support/weights.ts'
import { findServers, PATIENT, startCase } from './case.ts'

const SERVERS = findServers('e2e doubts')
const SEVERAL_SWEEPS = 6

describe.skipIf(SERVERS === null)('in doubt, the weight stays where it is', () => {
  test.concurrent.for([
    ['before the new weight has proven itself', 'weight-confirmed'],
    ['while the step is held', 'weight-in-force'],
  ] as const)(
    'Prometheus dies %s: nothing is raised or reverted until it is back',
    PATIENT,
    async ([, type], context) => {
      const { world, migration } = await startCase(SERVERS, ['catalog'], context)
      const headgate = await migration.start()
      await migration.event('catalog', type, ({ weightPercent }) => weightPercent === 25)
      await world.prometheus.kill()
      const { seq: seqAtDeath = 0 } = (await migration.journal()).at(-1) ?? {}
      const watching = new AbortController()
      const weights = watchWeight(world.haproxy, 'catalog', watching.signal)
      context.onTestFinished(() => watching.abort())

      await migration.event('catalog', 'hold-added', ({ hold }) => hold.cause === 'blind')
      await migration.event('catalog', 'blind-too-long')
      await headgate.sweeps(SEVERAL_SWEEPS)
      watching.abort()
      await weights.ended
      expect(weights.seen.map(({ weightPercent }) => weightPercent)).toEqual([25])
      const sinceDeath = (await migration.journal('catalog')).filter(({ seq }) => seq > seqAtDeath)
      expect(eventsOf(sinceDeath, 'weight-intended')).toEqual([])
      expect(eventsOf(sinceDeath, 'revert-started')).toEqual([])
      expect(eventsOf(sinceDeath, 'phase-entered')).toEqual([])
      expect(eventsOf(sinceDeath, 'hold-removed')).toEqual([])

      await world.prometheus.restart()
      await migration.event('catalog', 'phase-entered', ({ to }) => to === 'completed')
      const rows = await migration.journal('catalog')
      expect(eventsOf(rows, 'weight-intended').map(({ toPercent }) => toPercent)).toEqual(WEIGHTS_PERCENT)
      expect((await serverWeightsOf(world.haproxy, 'catalog')).old).toBe(0)
    },
  )

  test.concurrent('a weight edited by hand is a drift hold, no fight, until `retry`', PATIENT, async (context) => {
    const { world, migration } = await startCase(SERVERS, ['catalog'], context)
    const headgate = await migration.start()
    await migration.event('catalog', 'weight-in-force', ({ weightPercent }) => weightPercent === 25)
    // Beside the 75 of OLD, that is 40 %.
    await world.haproxy.command('set server catalog/new weight 50')
    const { hold } = await migration.event('catalog', 'hold-added', ({ hold: { cause } }) => cause === 'drift')
    expect(hold.detail).toContain('reads 40 % but 25 % was written')

    await headgate.sweeps(SEVERAL_SWEEPS)
    expect(await serverWeightsOf(world.haproxy, 'catalog')).toEqual({ old: 75, new: 50 })
    const untilThen = await migration.journal('catalog')
    expect(eventsOf(untilThen, 'weight-intended').map(({ toPercent }) => toPercent)).toEqual([10, 25])
    expect(eventsOf(untilThen, 'weight-reasserted')).toEqual([])
    expect(eventsOf(untilThen, 'hold-removed').filter(({ cause }) => cause === 'drift')).toEqual([])

    const factId = await headgate.command('catalog', 'retry', 'that was a mistake')
    await migration.event('catalog', 'phase-entered', ({ to }) => to === 'completed')
    const rows = await migration.journal('catalog')
    expect(eventsOf(rows, 'command-done')).toMatchObject([{ factId, command: 'retry', actor: 'ada' }])
    expect(eventsOf(rows, 'weight-reasserted')).toMatchObject([
      { foundPercents: [40], weightPercent: 25, actor: 'ada', reason: 'that was a mistake' },
    ])
    expect(eventsOf(rows, 'weight-confirmed').map(({ weightPercent }) => weightPercent)).toEqual([10, 25, 25, 50, 100])
    expect((await serverWeightsOf(world.haproxy, 'catalog')).old).toBe(0)
  })
})
