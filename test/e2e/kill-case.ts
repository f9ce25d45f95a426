import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Journal } from '../../src/ports/store.ts'
import { openRedis } from '../../src/store/redis.ts'
import { openSqlite } from '../../src/store/sqlite.ts'
import { redisSettings } from '../store/redis-place.ts'
import { openFaultProxy } from '../support/fault-proxy.ts'
import { configText, haproxyTraffic } from '../support/migration.ts'
import { createWriteRecord } from '../support/proof.ts'
import { startRedis } from '../support/redis.ts'
import { startWorld } from '../support/world.ts'
import type { Servers } from './case.ts'

export const KILL_WEIGHTS_PERCENT = [25, 50, 100] as const
export const HOLD_SECONDS = 2
/** Of all services together: they share the machine with whoever tests. */
const REQUESTS_PER_SECOND = 240
/** Of one service: no test wants more. */
const MOST_PER_SECOND = 50

/**
 * A migration with HAProxy, Prometheus and a store, and whatever was ever told to HAProxy; no Headgate runs yet. `ending` ends it
 * all.
 */
export async function layOutKills(
  servers: Servers,
  names: readonly string[],
  redisBinary: string | null,
  ending: AsyncDisposableStack,
) {
  const requestsPerSecond = Math.min(MOST_PER_SECOND, REQUESTS_PER_SECOND / names.length)
  const world = await startWorld(servers, names, { requestsPerSecond })
  ending.defer(world.stop)
  const record = createWriteRecord()
  const proxy = await openFaultProxy({ path: world.haproxy.socketName }, record.tap)
  ending.defer(proxy.stop)
  const folder = mkdtempSync(join(tmpdir(), 'headgate-kills-'))
  ending.defer(async () => rmSync(folder, { recursive: true, force: true }))
  const configPath = join(folder, 'headgate.yaml')
  const redis = redisBinary === null ? null : await startRedis(redisBinary, ['--appendfsync', 'always'])
  if (redis) ending.defer(redis.stop)
  const more = redis ? `redis: { url: "${redis.url}" }\n` : ''
  const traffic = haproxyTraffic(`tcp://127.0.0.1:${proxy.port}`)
  const steps = KILL_WEIGHTS_PERCENT.map((weightPercent) => ({ weightPercent, holdSeconds: HOLD_SECONDS }))
  writeFileSync(configPath, configText(world.prometheus.url, names, traffic, { steps }) + more)
  return { world, record, configPath, journal: await journalOf(redis?.url ?? null, folder, ending) }
}

/** The journal past all processes. */
async function journalOf(
  redisUrl: string | null,
  folder: string,
  ending: AsyncDisposableStack,
): Promise<() => Journal> {
  if (redisUrl === null) return () => openSqlite(join(folder, 'headgate.db'), { readOnly: true }).journal
  const { journal, store } = await openRedis(redisSettings(redisUrl), {
    secret: String,
    newIdentity: () => crypto.randomUUID(),
  })
  ending.defer(() => store.close())
  return () => journal
}
