import { join } from 'node:path'
import { until } from '../test/support/until.ts'
import { type FleetRun, layFleet } from './fleet-place.ts'
import { type FleetProcess, startFleet, type Usage } from './fleet-process.ts'
import { type FleetRedis, startFleetRedis } from './fleet-redis.ts'
import type { FleetPrometheus } from './fleet-source.ts'
import { percentile, type Table } from './lib.ts'

/** Each has a migration: a shard is not divided. */
export const REPLICAS = 3

/** Sweeps that are measured, and those before them that fill windows: the whole benchmark has to end. */
const SWEEPS = { measured: 5, refilling: 1 } as const

/** Rows for a table, of a fleet on so many replicas that share a Redis: all of them together, each by itself, and Redis. */
export async function measureReplicas(workloads: number, run: FleetRun & { readonly redis: string }): Promise<Table> {
  const { folder, children, main, counts, signal } = run
  const redis = await startFleetRedis(run.redis)
  const running: FleetProcess[] = []
  try {
    const place = await layFleet({ workloads, migrations: REPLICAS }, join(folder, `replicas-${workloads}`), children, {
      sweepSeconds: counts.interval,
      redisUrl: redis.url,
    })
    await redis.seed(place.files)
    const startAll = () => {
      const started = Array.from({ length: REPLICAS }, (_, index) =>
        startFleet(main, place.configPath, place.logPath(`replica-${index + 1}`)),
      )
      running.push(...started)
      return started
    }
    const replicas = startAll()
    await haveOneEach(replicas, redis)
    const swept = await overSweeps(replicas, { redis, prometheus: place.prometheus, interval: counts.interval, signal })
    await Promise.all(replicas.map((one) => one.stop()))
    await place.prometheus.forget()
    const startedMs = Date.now()
    startAll()
    const startSeconds = ((await place.prometheus.allAskedAtMs(signal)) - startedMs) / 1000
    return rowsOf(workloads, { ...swept, startSeconds })
  } finally {
    await Promise.all(running.map((one) => one.kill()))
    await redis.stop()
  }
}

/** Until each replica has a shard, and no other has it, too. */
async function haveOneEach(replicas: readonly FleetProcess[], redis: FleetRedis): Promise<void> {
  await until('each replica has a shard', async () => {
    const shards = await redis.shardsByPid()
    return replicas.every(({ pid }) => pid !== undefined && shards.get(pid) === 1)
  })
}

interface Around {
  readonly redis: FleetRedis
  readonly prometheus: FleetPrometheus
  readonly interval: number
  readonly signal: AbortSignal
}

type Swept = Awaited<ReturnType<typeof overSweeps>>

async function overSweeps(replicas: readonly FleetProcess[], { redis, prometheus, interval, signal }: Around) {
  const sweeps = (count: number) => Promise.all(replicas.map((one) => one.sweeps(count, signal)))
  const usages = async () => ({ replicas: replicas.map((one) => one.usage()), redis: await redis.usage() })
  await sweeps(1 + SWEEPS.refilling)
  await prometheus.amnesia()
  // One that is under way may have asked before.
  await sweeps(2)
  await prometheus.forget()
  const before = await usages()
  await sweeps(SWEEPS.measured)
  const after = await usages()
  // With a short interval the queries of what was committed last may have come before.
  await prometheus.allAskedAtMs(signal)
  const arrivals = await prometheus.sweepArrivals(interval)
  return {
    before,
    after,
    queriesPerSweep: Math.max(...arrivals.map(({ queries }) => queries)),
    latenessP99Ms: percentile(
      arrivals.flatMap(({ latenessMs }) => latenessMs),
      99,
    ),
  }
}

function rowsOf(workloads: number, swept: Swept & { readonly startSeconds: number }): Table {
  const { before, after } = swept
  const a = (from: number, to: number) => rounded((to - from) / SWEEPS.measured)
  const usage = (from: Usage, to: Usage) => ({
    'CPU a sweep, s': a(from.cpuSeconds, to.cpuSeconds),
    'peak memory, MB': rounded(to.peakMemoryMb),
  })
  const sum = (all: readonly Usage[]) => all.reduce((total, { cpuSeconds }) => total + cpuSeconds, 0)
  return {
    [`${workloads} workloads`]: {
      count: workloads,
      'CPU a sweep, s': a(sum(before.replicas), sum(after.replicas)),
      'peak memory, MB': rounded(Math.max(...after.replicas.map(({ peakMemoryMb }) => peakMemoryMb))),
      'queries a sweep': swept.queriesPerSweep,
      'lateness p99, ms': rounded(swept.latenessP99Ms),
      'start, s': rounded(swept.startSeconds),
    },
    ...Object.fromEntries(
      after.replicas.flatMap((to, index) => {
        const from = before.replicas[index]
        return from ? [[`${workloads}: replica ${index + 1}`, usage(from, to)] as const] : []
      }),
    ),
    [`${workloads}: Redis`]: {
      'CPU a sweep, s': a(before.redis.cpuSeconds, after.redis.cpuSeconds),
      'peak memory, MB': rounded(after.redis.peakMemoryMb),
      'commands a sweep': a(before.redis.commands, after.redis.commands),
      'received a sweep, MB': a(before.redis.receivedMb, after.redis.receivedMb),
      'append-only file, MB a sweep': a(before.redis.writtenMb, after.redis.writtenMb),
    },
  }
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000
}
