import { request } from 'undici'
import { describe, expect, test } from 'vitest'
import { type RunningHeadgate, startHeadgate } from '../support/headgate.ts'
import { eventsOf } from '../support/migration.ts'
import { brokenFacts, unprovenRaises } from '../support/proof.ts'
import { requireServer } from '../support/servers.ts'
import { until } from '../support/until.ts'
import { serverWeightsOf } from '../support/weights.ts'
import { findServers, PATIENT } from './case.ts'
import { HOLD_SECONDS, layOutKills } from './kill-case.ts'

const SERVERS = findServers('e2e fencing')
const REDIS = requireServer('redis-server', 'e2e fencing')

describe.skipIf(SERVERS === null || REDIS === null)('a replica that stands still for longer than its lease', () => {
  test.concurrent.for(['weight-intended', 'weight-in-force'] as const)(
    'at a %s: another one reverts what fails by then, and the first one, when it goes on, writes nothing',
    PATIENT,
    async (type, { onTestFinished }) => {
      if (SERVERS === null) throw new Error('a suite without its servers is skipped')
      const ending = new AsyncDisposableStack()
      onTestFinished(() => ending.disposeAsync())
      const { world, record, configPath, journal } = await layOutKills(SERVERS, ['catalog'], REDIS, ending)
      const start = async () => {
        const one = await startHeadgate(configPath)
        ending.defer(one.kill)
        return one
      }
      const rows = () => journal().read({ afterSeq: 0, limit: 10_000 })
      const first = await start()
      await until('the first decides', async () => (await readiness(first)).includes('"ready":true'), first.log)
      const second = await start()
      await until('the first writes', async () => eventsOf(await rows(), type).length >= 2, first.log)
      first.freeze()
      ending.defer(async () => first.resume())
      world.service('catalog').new.breakDown()
      const isReverted = async () => eventsOf(await rows(), 'revert-confirmed').length > 0
      await until('the second reverts', isReverted, second.log)
      const [toldBefore, rowsBefore] = [record.sets.length, (await rows()).length]
      // It was in the middle of something, and has its connections, its timers and its old lease.
      first.resume()
      await until('it knows', () => first.log().includes('STORE_LEASE_HELD'), first.log)
      await second.sweeps(3)

      expect(record.sets.slice(toldBefore)).toEqual([])
      const after = await rows()
      expect(after.slice(rowsBefore).filter(({ event }) => event.type === 'weight-intended')).toEqual([])
      expect(eventsOf(after, 'revert-started')).toHaveLength(1)
      expect(eventsOf(after, 'controller-started')).toHaveLength(2)
      expect(unprovenRaises(after, HOLD_SECONDS)).toEqual([])
      expect(brokenFacts(after, [])).toEqual([])
      expect(await serverWeightsOf(world.haproxy, 'catalog')).toEqual({ old: 100, new: 0 })
      expect((await journal().verify(null)).fault).toBeNull()
    },
  )
})

async function readiness({ url }: RunningHeadgate): Promise<string> {
  const { body } = await request(`${url}/readyz`)
  return body.text()
}
