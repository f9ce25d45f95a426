import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startLoad } from '../../examples/demo/load.ts'
import type { Journal } from '../../src/ports/store.ts'
import { openRedis } from '../../src/store/redis.ts'
import { openSqlite } from '../../src/store/sqlite.ts'
import { redisSettings } from '../store/redis-place.ts'
import { openFaultProxy } from '../support/fault-proxy.ts'
import { API_CONFIG } from '../support/headgate.ts'
import { createWriteRecord } from '../support/proof.ts'
import { startRedis } from '../support/redis.ts'
import { CLUSTERS, startWorld, type World } from '../support/world.ts'
import type { Servers } from './case.ts'

export const KILL_WEIGHTS_PERCENT = [25, 50, 100] as const
export const HOLD_SECONDS = 2
/** Of all services together: they share the machine with whoever tests. */
const REQUESTS_PER_SECOND = 240
/** Of one service: no test wants more. */
const MOST_PER_SECOND = 50
const MAX_REQUESTS = 20_000

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
  const world = await startWorld(servers, names, 'none')
  ending.defer(world.stop)
  ending.defer(sendLoad(world, names))
  const record = createWriteRecord()
  const proxy = await openFaultProxy({ path: world.haproxy.socketName }, record.tap)
  ending.defer(proxy.stop)
  const folder = mkdtempSync(join(tmpdir(), 'headgate-kills-'))
  ending.defer(async () => rmSync(folder, { recursive: true, force: true }))
  const configPath = join(folder, 'headgate.yaml')
  const redis = redisBinary === null ? null : await startRedis(redisBinary, ['--appendfsync', 'always'])
  if (redis) ending.defer(redis.stop)
  const more = redis ? `redis: { url: "${redis.url}" }\n` : ''
  writeFileSync(configPath, configOf(world, names, proxy.port) + more)
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

function sendLoad({ haproxy }: World, names: readonly string[]): () => Promise<void> {
  const stopping = new AbortController()
  const load = startLoad({
    urls: new Map(names.map((name) => [name, `http://127.0.0.1:${haproxy.port(name)}/`])),
    requestsPerSecond: Math.min(MOST_PER_SECOND, REQUESTS_PER_SECOND / names.length),
    slowerThanMs: 500,
    maxRequests: MAX_REQUESTS,
    signal: stopping.signal,
  })
  return () => {
    stopping.abort()
    return load.done
  }
}

function configOf({ prometheus }: World, names: readonly string[], haproxyPort: number): string {
  const steps = KILL_WEIGHTS_PERCENT.map((weight) => `{ weight: ${weight}%, hold: ${HOLD_SECONDS}s }`)
  const traffic = (name: string) =>
    `{ haproxy: { socket: "tcp://127.0.0.1:${haproxyPort}", backend: ${name}, old: old, new: new } }`
  return `apiVersion: headgate/v1
migration: kills
clusters: { old: ${CLUSTERS.old}, new: ${CLUSTERS.new} }
sweep: 1s
${API_CONFIG}
sources:
  prometheus: { url: "${prometheus.url}" }
slis:
  availability: { objective: 99%, total: http_requests_total, bad: 'http_requests_total{code=~"5.."}' }
policies:
  quick:
    steps: [${steps.join(', ')}]
    minRequests: 10
    bake: 2s
    drain: 1s
    blindAfter: 5s
    burnRate: [{ long: 8s, short: 4s, factor: 14.4, then: revert }]
    share: { tolerance: 15% }
    proof: { need: 4, plusBudgets: 10 }
policy: quick
workloads:
${names.map((name) => `  - { name: ${name}, traffic: ${traffic(name)} }`).join('\n')}
`
}
