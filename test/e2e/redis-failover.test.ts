import { describe, expect, type TestContext, test } from 'vitest'
import { openFaultProxy } from '../support/fault-proxy.ts'
import { configText, haproxyTraffic, layOut, WEIGHTS_PERCENT } from '../support/migration.ts'
import { startRedis } from '../support/redis.ts'
import { openRedisJournal } from '../support/redis-journal.ts'
import { requireServer } from '../support/servers.ts'
import { until } from '../support/until.ts'
import { serverWeightsOf } from '../support/weights.ts'
import { startWorld } from '../support/world.ts'
import { findServers, PATIENT } from './case.ts'

const SERVERS = findServers('e2e redis failover')
const REDIS = requireServer('redis-server', 'e2e redis failover')
const SEVERAL_TRIES = 4

describe.skipIf(SERVERS === null || REDIS === null)(
  'a primary Redis that dies, and whose replica takes its place',
  () => {
    test(
      'nothing is decided until a commit is safe again; then it goes on, with nothing lost and nothing twice',
      PATIENT,
      async (context) => {
        const { world, primary, heir, startReplica, proxy, headgate } = await startFailoverCase(context)
        const before = await openRedisJournal(context, primary.url, 'catalog')
        await until('25 % is in force', async () => (await before.story()).includes('weight-in-force 25'), headgate.log)
        const rows = await before.rows()
        // Its weight is written only once the commit is acknowledged.
        const acknowledged = rows.slice(
          0,
          rows.findIndex(({ event }) => event.type === 'weight-intended' && event.toPercent === 25) + 1,
        )
        await primary.kill()
        await heir.client.replicaof('NO', 'ONE')
        proxy.moveTo(heir.port)

        const after = await openRedisJournal(context, heir.url, 'catalog')
        expect((await after.rows()).slice(0, acknowledged.length)).toEqual(acknowledged)
        const refusals = () => headgate.log().split('0 of 1 replicas').length - 1
        await until('it has tried several times', () => refusals() >= SEVERAL_TRIES, headgate.log)
        expect((await serverWeightsOf(world.haproxy, 'catalog')).new).toBe(25)

        await startReplica(heir.port)
        await until('it is done', async () => (await after.story()).includes('completed'), headgate.log)
        const story = await after.story()
        expect(new Set(story).size).toBe(story.length)
        expect(story.filter((line) => line.startsWith('intended'))).toEqual(
          WEIGHTS_PERCENT.map((weight) => `intended ${weight}`),
        )
      },
    )
  },
)

/** A migration whose store is behind one address, as that of a Service or a Sentinel is, with one replica behind the primary. */
async function startFailoverCase({ onTestFinished }: Pick<TestContext, 'onTestFinished'>) {
  if (SERVERS === null || REDIS === null) throw new Error('a suite without its servers is skipped')
  const start = async (options: readonly string[]) => {
    const redis = await startRedis(REDIS, ['--repl-diskless-sync-delay', '0', ...options])
    onTestFinished(redis.stop)
    return redis
  }
  const primary = await start([])
  const startReplica = (port: number) => start(['--replicaof', '127.0.0.1', String(port)])
  const heir = await startReplica(primary.port)
  await until('the replica follows', async () => (await heir.client.info()).includes('master_link_status:up'))
  const proxy = await openFaultProxy({ port: primary.port })
  onTestFinished(proxy.stop)
  const world = await startWorld(SERVERS, ['catalog'])
  onTestFinished(world.stop)
  const config = configText(world.prometheus.url, ['catalog'], haproxyTraffic(world.haproxy.socketName))
  const redis = `redis: { url: "redis://127.0.0.1:${proxy.port}", waitReplicas: 1 }`
  const migration = layOut(`${config}${redis}\n`)
  onTestFinished(migration.stop)
  return { world, primary, heir, startReplica, proxy, headgate: await migration.start() }
}
