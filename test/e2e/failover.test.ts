import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { request } from 'undici'
import { describe, expect, type TestContext, test } from 'vitest'
import { LEASE_MS } from '../../src/engine/lease.ts'
import { MAIN_SHARD } from '../../src/ports/store.ts'
import { redisKeys } from '../../src/store/redis-keys.ts'
import { StateRows, shapeHashOf } from '../../src/store/state-rows.ts'
import { redisSettings } from '../store/redis-place.ts'
import { notification, postedAlert } from '../support/alerts.ts'
import { type RunningHeadgate, startHeadgate, TOKEN } from '../support/headgate.ts'
import { configText, eventsOf, haproxyTraffic } from '../support/migration.ts'
import { startRedis } from '../support/redis.ts'
import { openRedisJournal } from '../support/redis-journal.ts'
import { requireServer } from '../support/servers.ts'
import { until } from '../support/until.ts'
import { serverWeightsOf } from '../support/weights.ts'
import { startWorld } from '../support/world.ts'
import { findServers, PATIENT } from './case.ts'

const SERVERS = findServers('e2e failover')
const REDIS = requireServer('redis-server', 'e2e failover')
const KEYS = redisKeys(redisSettings('').prefix)
/** Failovers of one run without an alert, before the one with it: `HEADGATE_FAILOVERS=10` for figures to be quoted. */
const FAILOVERS = Number(process.env['HEADGATE_FAILOVERS'] ?? 1)
const TIMEOUT_MS = PATIENT.timeout + FAILOVERS * 60_000

describe.skipIf(SERVERS === null || REDIS === null)('of three replicas on one Redis', () => {
  test('the one that decides is killed: another one sweeps, and an alert that comes in between reverts, once', {
    timeout: TIMEOUT_MS,
  }, async (context) => {
    const { world, replicas, killOwner, sweptSince, rows, logs } = await startReplicas(context)
    for (let count = 1; count <= FAILOVERS; count++) {
      const { killedAtMs, index, startAgain } = await killOwner()
      const sweptAtMs = await until('another one sweeps', () => sweptSince(killedAtMs), logs)
      tell(`failover ${count}: replica ${index + 1} killed; first sweep elsewhere after`, sweptAtMs - killedAtMs)
      await startAgain()
    }

    const { killedAtMs, index } = await killOwner()
    const survivors = replicas.filter((_, other) => other !== index)
    tell(`replica ${index + 1} killed; alert posted after`, Date.now() - killedAtMs)
    const tries = await postUntilTaken(survivors)
    tell(`alert taken, at try ${tries}, after`, Date.now() - killedAtMs)
    const started = await until('it is reverted', async () => eventsOf(await rows(), 'revert-started')[0], logs)
    tell('revert decided after', started.atMs - killedAtMs)
    const confirmed = await until('it is back', async () => eventsOf(await rows(), 'revert-confirmed')[0], logs)
    tell('revert read back after', confirmed.atMs - killedAtMs)
    expect((await serverWeightsOf(world.haproxy, 'catalog')).new).toBe(0)

    // Alertmanager says it again: it is the same alert.
    for (let count = 0; count < 2; count++) await postUntilTaken(survivors)
    const beforeMs = Date.now()
    await until('a sweep has seen it', () => sweptSince(beforeMs), logs)
    const told = await rows()
    expect(eventsOf(told, 'alert-taken')).toHaveLength(1)
    expect(eventsOf(told, 'revert-started')).toHaveLength(1)
    expect(eventsOf(told, 'weight-intended').map(({ toPercent }) => toPercent)).toEqual([10, 0])
    expect(eventsOf(told, 'revert-confirmed')).toHaveLength(1)
  })
})

function tell(what: string, ms: number): void {
  process.stdout.write(`${what} ${(ms / 1000).toFixed(2)} s (lease ${LEASE_MS / 1000} s)\n`)
}

/** As Alertmanager does: again until somebody has it, and here to one after the other. Resolves with the number of tries. */
async function postUntilTaken(survivors: readonly RunningHeadgate[]): Promise<number> {
  let tries = 0
  await until('the alert is taken', async () => (await postAlert(survivors[tries++ % survivors.length])) === 200)
  return tries
}

async function postAlert(headgate: RunningHeadgate | undefined): Promise<number> {
  const alert = postedAlert({ cluster: 'green', service: 'catalog' })
  const { statusCode, body } = await request(`${headgate?.url}/api/v1/webhooks/alertmanager`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify(notification([alert])),
  })
  await body.dump()
  return statusCode
}

/** A migration that stays at its first weight, and three Headgates with the same config. */
async function startReplicas(context: Pick<TestContext, 'onTestFinished'>) {
  if (SERVERS === null || REDIS === null) throw new Error('a suite without its servers is skipped')
  const { onTestFinished } = context
  const redis = await startRedis(REDIS)
  onTestFinished(redis.stop)
  const world = await startWorld(SERVERS, ['catalog'])
  onTestFinished(world.stop)
  const folder = mkdtempSync(join(tmpdir(), 'headgate-failover-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const configPath = join(folder, 'headgate.yaml')
  const traffic = haproxyTraffic(world.haproxy.socketName)
  const usual = configText(world.prometheus.url, ['catalog'], traffic, {
    alertmanager: `
  routes: [{ match: [severity=critical], action: revert, workloadLabel: service }]`,
  })
  const steps = 'steps: [{ weight: 10%, hold: 1h }, { weight: 100%, hold: 1h }]'
  writeFileSync(configPath, `${usual.replace(/steps: \[.*\]/, steps)}redis: { url: "${redis.url}" }\n`)
  const replicas: RunningHeadgate[] = []
  onTestFinished(async () => void (await Promise.all(replicas.map((one) => one.kill()))))
  for (let count = 0; count < 3; count++) replicas.push(await startHeadgate(configPath))
  const { rows, story } = await openRedisJournal(context, redis.url, 'catalog')
  const logs = () => replicas.map((one) => one.log()).join('\n')
  await until('the first weight is in force', async () => (await story()).includes('weight-in-force 10'), logs)

  const ownerIndex = async () => {
    const owner = await redis.client.hget(KEYS.ofShard(MAIN_SHARD).shard, 'leaseOwner')
    const index = replicas.findIndex(({ pid }) => owner?.includes(`:${pid}:`))
    return index < 0 ? null : { index }
  }
  return {
    ...{ world, replicas, rows, logs },
    /** kill -9 of the one that holds the lease; `startAgain` brings another one in its place. */
    killOwner: async () => {
      const { index } = await until('one decides', ownerIndex, logs)
      const killedAtMs = Date.now()
      await replicas[index]?.kill()
      return {
        ...{ index, killedAtMs },
        startAgain: async () => {
          replicas[index] = await startHeadgate(configPath)
        },
      }
    },
    /** When the newest sweep began that was committed for the workload; null: none since then. */
    sweptSince: async (sinceMs: number) => {
      const state = await redis.client.hget(KEYS.rollouts, 'catalog')
      const tally = await redis.client.hget(KEYS.tallies, 'catalog')
      const shape = await redis.client.hget(KEYS.shapes, shapeHashOf(tally ?? ''))
      const { lastStepMs } = new StateRows().read({ workload: 'catalog', state, tally }, () => shape)
      return lastStepMs > sinceMs ? lastStepMs : null
    },
  }
}
