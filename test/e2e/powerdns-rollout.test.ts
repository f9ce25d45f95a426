import { describe, expect, type TestContext, test } from 'vitest'
import { type DnsWorld, FIRST_TTL_SECONDS, MOVING_TTL_SECONDS, startDnsWorld } from '../support/dns-world.ts'
import { createMigration, eventsOf, type Migration, WEIGHTS_PERCENT } from '../support/migration.ts'
import { NEW, OLD, recordOf } from '../support/powerdns-scope.ts'
import { luaContent, putRrsets, rrsetsAt } from '../support/powerdns-user.ts'
import { requireServer } from '../support/servers.ts'
import { PATIENT } from './case.ts'

const SUITE = 'e2e of a rollout by PowerDNS'
const [pdns, prometheus] = [requireServer('pdns_server', SUITE), requireServer('prometheus', SUITE)]
const NAME = 'catalog'

async function startCase({ onTestFinished }: Pick<TestContext, 'onTestFinished'>): Promise<{
  readonly world: DnsWorld
  readonly migration: Migration
}> {
  const world = await startDnsWorld({ pdns: pdns ?? '', prometheus: prometheus ?? '' }, NAME)
  onTestFinished(world.stop)
  const migration = createMigration(world, [NAME], world.traffic, world.env)
  onTestFinished(migration.stop)
  return { world, migration }
}

describe.skipIf(pdns === null || prometheus === null)('a migration by PowerDNS, judged by Prometheus', () => {
  test.concurrent(
    'ends at 100 %, with the TTL that was there before, and no client noticed',
    PATIENT,
    async (context) => {
      const { world, migration } = await startCase(context)
      await migration.start()
      await migration.event(NAME, 'phase-entered', ({ to }) => to === 'completed')
      await migration.event(NAME, 'ttls-restored')
      await world.stopLoad()
      const rows = await migration.journal(NAME)
      expect(eventsOf(rows, 'ttls-lowered').map(({ targets }) => targets)).toMatchObject([
        [{ fromSeconds: FIRST_TTL_SECONDS, toSeconds: MOVING_TTL_SECONDS }],
      ])
      expect(eventsOf(rows, 'weight-intended').map(({ toPercent }) => toPercent)).toEqual(WEIGHTS_PERCENT)
      expect(eventsOf(rows, 'weight-confirmed').map(({ weightPercent }) => weightPercent)).toEqual(WEIGHTS_PERCENT)
      expect(await rrsetsAt(world.powerdns, recordOf(NAME))).toMatchObject({
        LUA: {
          ttl: FIRST_TTL_SECONDS,
          records: [
            {
              content: luaContent('A', [
                [0, OLD],
                [100, NEW],
              ]),
            },
          ],
        },
      })
      expect(world.failures).toBe(0)
    },
  )

  test.concurrent(
    'sees a weight edited by hand, holds, and brings a broken NEW back to 0',
    PATIENT,
    async (context) => {
      const { world, migration } = await startCase(context)
      const headgate = await migration.start()
      await migration.event(NAME, 'weight-in-force', ({ weightPercent }) => weightPercent === 25)
      const byHand = luaContent('A', [
        [60, OLD],
        [40, NEW],
      ])
      await putRrsets(world.powerdns, [
        { name: recordOf(NAME), type: 'LUA', contents: [byHand], ttl: MOVING_TTL_SECONDS },
      ])
      const { hold } = await migration.event(NAME, 'hold-added', ({ hold: { cause } }) => cause === 'drift')
      expect(hold.detail).toContain('reads 40 % but 25 % was written')
      await headgate.sweeps(2)
      expect(await rrsetsAt(world.powerdns, recordOf(NAME))).toMatchObject({ LUA: { records: [{ content: byHand }] } })

      world.service.new.breakDown()
      await migration.event(NAME, 'revert-confirmed')
      expect(await rrsetsAt(world.powerdns, recordOf(NAME))).toMatchObject({
        LUA: {
          records: [
            {
              content: luaContent('A', [
                [100, OLD],
                [0, NEW],
              ]),
            },
          ],
        },
      })
    },
  )

  test.concurrent('holds while PowerDNS is gone, and says that it cannot be reached', PATIENT, async (context) => {
    const { world, migration } = await startCase(context)
    await migration.start()
    await migration.event(NAME, 'weight-in-force', ({ weightPercent }) => weightPercent === 25)
    await world.powerdns.stop()
    await migration.event(
      NAME,
      'hold-added',
      ({ hold: { cause, detail } }) => cause === 'blind' && detail.includes('cannot be reached'),
    )
    expect(eventsOf(await migration.journal(NAME), 'weight-intended').map(({ toPercent }) => toPercent)).toEqual([
      10, 25,
    ])
  })
})
