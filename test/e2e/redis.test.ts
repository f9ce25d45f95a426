import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { request } from 'undici'
import { describe, expect, type TestContext, test } from 'vitest'
import { explain } from '../../src/core/explain.ts'
import { type RunningHeadgate, startHeadgate, TOKEN } from '../support/headgate.ts'
import { configText, eventsOf, haproxyTraffic, WEIGHTS_PERCENT } from '../support/migration.ts'
import { startRedis } from '../support/redis.ts'
import { openRedisJournal } from '../support/redis-journal.ts'
import { requireServer } from '../support/servers.ts'
import { until } from '../support/until.ts'
import { serverWeightsOf, watchWeight } from '../support/weights.ts'
import { startWorld } from '../support/world.ts'
import { findServers, PATIENT } from './case.ts'

const SERVERS = findServers('e2e redis')
const REDIS = requireServer('redis-server', 'e2e redis')

describe.skipIf(SERVERS === null || REDIS === null)('two replicas on one Redis', () => {
  test.concurrent(
    'when the one that decides is killed, the other goes on, and reverts what fails, once',
    PATIENT,
    async (context) => {
      const { world, replicas, story, inForce } = await startReplicas(context)
      const [first] = replicas
      await inForce('weight-in-force 25')
      const [, second] = replicas
      await until(
        'the other one shows what it does not decide',
        async () => (await troublesOf(second)).includes('"ready":true') && (await weightAt(second)) === 25,
        second.log,
      )
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

  test.concurrent(
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
      // Nobody makes a store there; wakes are no part of it.
      expect((await redis.client.keys('*')).filter((key) => !key.startsWith('{headgate}:wake:'))).toEqual([])
    },
  )

  test.concurrent(
    'started on the emptied Redis, with drift to be corrected, it writes nothing before an adopt, and then goes on to the end',
    PATIENT,
    async (context) => {
      const { world, redis, replicas, inForce, configPath } = await startReplicas(context, 'drift: correct')
      await inForce('weight-in-force 25')
      await redis.client.flushall()
      for (const replica of replicas)
        await until('it is told', async () => (await troublesOf(replica)).includes('STORE_LOST'), replica.log)
      for (const replica of replicas) await replica.stop()
      const before = await serverWeightsOf(world.haproxy, 'catalog')

      const over = new AbortController()
      const watch = watchWeight(world.haproxy, 'catalog', over.signal)
      context.onTestFinished(async () => {
        over.abort()
        await watch.ended
      })
      const again = await startHeadgate(configPath)
      context.onTestFinished(again.kill)
      await until('it decides', async () => (await troublesOf(again)).includes('"ready":true'), again.log)
      const { rows, story } = await openRedisJournal(context, redis.url, 'catalog')
      const holds = async () => eventsOf(await rows(), 'hold-added').map(({ hold }) => hold)
      await until('it holds', async () => (await holds()).length > 0, again.log)
      await again.sweeps(5)
      expect(await serverWeightsOf(world.haproxy, 'catalog')).toEqual(before)
      expect(await holds()).toMatchObject([{ cause: 'unknown-weight' }])
      expect((await holds())[0]?.detail).toMatch(
        /reads 25 %.*`headgate adopt catalog` goes on from step 2 of 4 \(25 %\)/,
      )
      expect(await story()).toEqual(['rollout-created'])
      expect(watch.seen.map(({ weightPercent }) => weightPercent)).toEqual([25])

      await again.command('catalog', 'adopt', 'redis was flushed')
      await until(
        'it is done',
        async () => (await story()).includes('completed'),
        async () => (await story()).join('\n'),
      )
      expect((await story()).slice(0, 4)).toEqual(['rollout-created', 'plan-pinned', 'adopted 25', 'stepping 2'])
      // A write is two commands, and what is between them may be seen too.
      const seen = watch.seen.map(({ weightPercent }) => weightPercent ?? 0)
      expect(seen).toEqual(seen.toSorted((a, b) => a - b))
      expect(eventsOf(await rows(), 'weight-intended').map(({ toPercent }) => toPercent)).toEqual([50, 100])
    },
  )
})

async function troublesOf({ url }: RunningHeadgate): Promise<string> {
  const { body } = await request(`${url}/readyz`)
  return body.text()
}

/** The weight of the workload as this replica knows it. */
async function weightAt({ url }: RunningHeadgate): Promise<unknown> {
  const { body } = await request(`${url}/api/v1/workloads/catalog`, { headers: { authorization: `Bearer ${TOKEN}` } })
  const answer: unknown = await body.json()
  return typeof answer === 'object' && answer !== null && 'intendedWeightPercent' in answer
    ? answer.intendedWeightPercent
    : null
}

/** A world, a migration, and two Headgates with the same config; the first has the lease. */
async function startReplicas({ onTestFinished }: Pick<TestContext, 'onTestFinished'>, policy = '') {
  if (SERVERS === null || REDIS === null) throw new Error('a suite without its servers is skipped')
  const redis = await startRedis(REDIS)
  onTestFinished(redis.stop)
  const world = await startWorld(SERVERS, ['catalog'])
  onTestFinished(world.stop)
  const folder = mkdtempSync(join(tmpdir(), 'headgate-replicas-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const configPath = join(folder, 'headgate.yaml')
  const steps = WEIGHTS_PERCENT.map((weightPercent) => ({ weightPercent, holdSeconds: weightPercent === 25 ? 20 : 2 }))
  const usual = configText(world.prometheus.url, ['catalog'], haproxyTraffic(world.haproxy.socketName), { steps })
  const config = usual.replace('    bake: 2s\n', `$&${policy === '' ? '' : `    ${policy}\n`}`)
  writeFileSync(configPath, `${config}redis: { url: "${redis.url}" }\n`)

  const first = await startHeadgate(configPath)
  onTestFinished(first.kill)
  await until('the first decides', async () => (await troublesOf(first)).includes('"ready":true'), first.log)
  const second = await startHeadgate(configPath)
  onTestFinished(second.kill)
  const { rows, story } = await openRedisJournal({ onTestFinished }, redis.url, 'catalog')
  const inForce = (line: string) =>
    until(
      line,
      async () => (await story()).includes(line),
      async () => [...(await rows()).map(({ event }) => explain(event)), first.log()].join('\n'),
    )
  return { world, redis, replicas: [first, second] as const, story, inForce, configPath }
}
