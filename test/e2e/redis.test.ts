import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { request } from 'undici'
import { describe, expect, type TestContext, test } from 'vitest'
import { explain } from '../../src/core/explain.ts'
import { openRedis } from '../../src/store/redis.ts'
import { redisSettings } from '../store/redis-place.ts'
import { type RunningHeadgate, startHeadgate } from '../support/headgate.ts'
import { configText, haproxyTraffic, storyOf } from '../support/migration.ts'
import { startRedis } from '../support/redis.ts'
import { requireServer } from '../support/servers.ts'
import { until } from '../support/until.ts'
import { serverWeightsOf } from '../support/weights.ts'
import { startWorld } from '../support/world.ts'
import { findServers, PATIENT } from './case.ts'

const SERVERS = findServers('e2e redis')
const REDIS = requireServer('redis-server', 'e2e redis')

describe.skipIf(SERVERS === null || REDIS === null)('two replicas on one Redis', () => {
  test(
    'when the one that decides is killed, the other goes on, and reverts what fails, once',
    PATIENT,
    async (context) => {
      const { world, replicas, story, inForce } = await startReplicas(context)
      const [first] = replicas
      await inForce('weight-in-force 25')
      expect(await troublesOf(replicas[1])).toContain('STORE_LEASE_HELD')
      await first.kill()
      world.service('catalog').new.breakDown()
      await until(
        'it is reverted',
        async () => (await story()).includes('reverted'),
        () => replicas[1].log(),
      )
      const told = await story()
      expect(told.filter((line) => line === 'revert-started')).toHaveLength(1)
      expect(told.slice(told.indexOf('revert-started'))).toEqual([
        ...['revert-started', 'reverting', 'intended 0', 'weight-confirmed 0', 'revert-confirmed 0', 'reverted'],
      ])
      expect(new Set(told).size).toBe(told.length)
      expect((await serverWeightsOf(world.haproxy, 'catalog')).new).toBe(0)
    },
  )

  test(
    'when Redis is flushed, nothing is raised and nothing reverted, and both say what was lost',
    PATIENT,
    async (context) => {
      const { world, redis, replicas, inForce } = await startReplicas(context)
      await inForce('weight-in-force 25')
      const before = await serverWeightsOf(world.haproxy, 'catalog')
      await redis.client.flushall()
      // What is there to be harmed by now must not be answered with a revert either.
      world.service('catalog').new.breakDown()
      for (const replica of replicas)
        await until('it is told', async () => (await troublesOf(replica)).includes('STORE_LOST'), replica.log)
      const tries = () => replicas[0].log().split('STORE_LOST').length
      const triesBefore = tries()
      await until('it has tried again', () => tries() > triesBefore + 10, replicas[0].log)
      expect(replicas[0].log()).toMatch(/is empty: it had revision \d+ and \d+ journal rows/)
      expect(await serverWeightsOf(world.haproxy, 'catalog')).toEqual(before)
      expect(await redis.client.dbsize()).toBe(0)
    },
  )
})

async function troublesOf({ url }: RunningHeadgate): Promise<string> {
  const { body } = await request(`${url}/readyz`)
  return body.text()
}

/** A world, a migration, and two Headgates with the same config; the first has the lease. */
async function startReplicas({ onTestFinished }: Pick<TestContext, 'onTestFinished'>) {
  if (SERVERS === null || REDIS === null) throw new Error('a suite without its servers is skipped')
  const redis = await startRedis(REDIS)
  onTestFinished(redis.stop)
  const world = await startWorld(SERVERS, ['catalog'])
  onTestFinished(world.stop)
  const folder = mkdtempSync(join(tmpdir(), 'headgate-replicas-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const configPath = join(folder, 'headgate.yaml')
  const config = configText(world.prometheus.url, ['catalog'], haproxyTraffic(world.haproxy.socketName))
  writeFileSync(configPath, `${config}redis: { url: "${redis.url}" }\n`)

  const first = await startHeadgate(configPath)
  onTestFinished(first.kill)
  await until('the first decides', async () => (await troublesOf(first)).includes('"ready":true'), first.log)
  const second = await startHeadgate(configPath)
  onTestFinished(second.kill)
  const { journal, store } = await openRedis(redisSettings(redis.url), { secret: String, newIdentity: null })
  onTestFinished(() => store.close())
  const rows = () => journal.read({ afterSeq: 0, limit: 10_000, workload: 'catalog' })
  const story = async () => storyOf(await rows())
  const inForce = (line: string) =>
    until(
      line,
      async () => (await story()).includes(line),
      async () => [...(await rows()).map(({ event }) => explain(event)), first.log()].join('\n'),
    )
  return { world, redis, replicas: [first, second] as const, story, inForce }
}
