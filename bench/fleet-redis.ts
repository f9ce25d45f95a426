import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { openRedis } from '../src/store/redis.ts'
import { redisSettings } from '../test/store/redis-place.ts'
import { type RealRedis, startRedis } from '../test/support/redis.ts'
import { seedFleet } from './fleet-seed.ts'

/** Durable as docs/redis.md advises; its log is never written anew, so that its growth is what was written. */
const OPTIONS = ['--appendfsync', 'always', '--auto-aof-rewrite-percentage', '0'] as const

/** What Redis counts of itself. */
export interface RedisUsage {
  readonly commands: number
  readonly receivedMb: number
  readonly writtenMb: number
  readonly cpuSeconds: number
  readonly peakMemoryMb: number
}

/** The path of `redis-server`; null: it is not installed. */
export function findRedis(): string | null {
  // Debian keeps servers where a plain user's PATH does not look.
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  return folders.map((folder) => join(folder, 'redis-server')).find(isExecutable) ?? null
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** A real Redis that holds a fleet. */
export interface FleetRedis {
  readonly url: string
  seed(texts: Parameters<typeof seedFleet>[1]): Promise<void>
  usage(): Promise<RedisUsage>
  /** By process id, how many shards it has. */
  shardsByPid(): Promise<ReadonlyMap<number, number>>
  stop(): Promise<void>
}

export async function startFleetRedis(binary: string): Promise<FleetRedis> {
  const redis = await startRedis(binary, OPTIONS)
  return {
    url: redis.url,
    seed: (texts) => withStore(redis, ({ shards }) => seedFleet(shards, texts)),
    usage: async () => usageIn(await redis.client.info()),
    shardsByPid: () =>
      withStore(redis, async ({ shards }) => {
        const { shards: all } = await shards.look('the benchmark', 0, 1)
        const owners = all.flatMap(({ lease }) => (lease === null ? [] : Number(lease.owner.split(':')[1])))
        return new Map([...Map.groupBy(owners, (pid) => pid)].map(([pid, own]) => [pid, own.length]))
      }),
    stop: () => redis.stop(),
  }
}

async function withStore<T>(
  { url }: RealRedis,
  use: (store: Awaited<ReturnType<typeof openRedis>>) => Promise<T>,
): Promise<T> {
  const store = await openRedis(redisSettings(url), { secret: () => '', newIdentity: () => crypto.randomUUID() })
  try {
    return await use(store)
  } finally {
    await store.store.close()
  }
}

function usageIn(info: string): RedisUsage {
  const field = (name: string) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1])
  return {
    commands: field('total_commands_processed'),
    receivedMb: field('total_net_input_bytes') / 2 ** 20,
    writtenMb: field('aof_current_size') / 2 ** 20,
    cpuSeconds: field('used_cpu_sys') + field('used_cpu_user'),
    peakMemoryMb: field('used_memory_peak') / 2 ** 20,
  }
}
