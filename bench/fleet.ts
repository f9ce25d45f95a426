/** What a fleet costs, from a hundred workloads to ten thousand: see `about` below. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createChildren } from '../examples/demo/children.ts'
import { openSqlite } from '../src/store/sqlite.ts'
import { FAKE_ACCESS_KEY } from '../test/fakes/route53.ts'
import { buildService } from './fleet-build.ts'
import { naiveCpuSeconds } from './fleet-naive.ts'
import { type Counts, type FleetRun, layFleet } from './fleet-place.ts'
import { type FleetProcess, startFleet } from './fleet-process.ts'
import { findRedis } from './fleet-redis.ts'
import { measureReplicas, REPLICAS } from './fleet-replicas.ts'
import { seedFleet } from './fleet-seed.ts'
import type { FleetPrometheus } from './fleet-source.ts'
import { LATENCY_BOUNDS_SECONDS, SLIS } from './fleet-world.ts'
import { atLeast, atMost, type Findings, mediumOf, percentile, runBench, type Table } from './lib.ts'
import { QUOTA } from './route53.ts'

const about = `
What \`headgate run\` costs with a fleet under way: every workload at 25 % over Route 53, in a step that holds for a day, judged by
${SLIS} SLIs (two of counters, one of a histogram with ${LATENCY_BOUNDS_SECONDS.length} boundaries) with the gates of the \`standard\` preset; a sweep each 10 s. It is the
service itself as it is installed, built for the run, a process of its own, with its SQLite store on disk; Prometheus is a fake that answers every series of every
workload from memory, Route 53 the strict fake at AWS's quotas, each another process on loopback. The store is filled beforehand with
rollouts at that weight.

CPU (user and system), the peak of the resident memory and the bytes written are what the kernel counts for the process. After a start
Headgate fills its windows from Prometheus's memory, a part a sweep; \`refilling\` is a sweep that does so, and the others come after the
fake has told that it remembers no more. The peak of the memory is over both. The lateness of a
sweep is the time from when it was due, a multiple of its interval, to its first query's arrival at Prometheus. The start is that of the
process to its first query, with all rollouts under way, after an orderly end: config, store and book are loaded then. After a
\`kill -9\` the dead process's lease (10 s at most) has to run out first.

**The naive loop** asks, as scripts do, for each workload and SLI by itself, with Headgate's own client, the same fake and the same
questions; it does nothing with the answers.

**${REPLICAS} replicas** share the same fleet as ${REPLICAS} migrations, in clusters and zones of their own, since a migration is not shared out; the store is a
real Redis on this machine with \`appendfsync always\`. CPU and queries are those of all replicas together, the memory is the largest one's; the lateness is
over the sweeps of all shards, the start that of all processes at once to the first query of the last shard. With fewer cores than
processes they are in each other's way.
`

const THREE_REPLICAS = 'Three replicas on one Redis'

await runBench({
  name: 'fleet',
  about,
  counts: { small: 100, medium: 1000, large: 10_000, sweeps: 8, refills: 2, interval: 10, naive: 500 },
  longestMinutes: 15,
  measure,
})

interface Measured {
  readonly workloads: number
  readonly refillingCpuSeconds: number
  readonly cpuSecondsPerSweep: number
  readonly peakMemoryMb: number
  readonly queriesPerSweep: number
  /** About the past, of which nothing is told any more. */
  readonly pastQueriesPerSweep: number
  readonly latenessP99Ms: number
  readonly writtenMbPerSweep: number
  readonly startSeconds: number
  readonly startCpuSeconds: number
  readonly naiveCpuSecondsPerSweep: number
}

async function measure(counts: Counts, signal: AbortSignal): Promise<Findings> {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-bench-'))
  const children = createChildren(folder)
  const built = buildService()
  const stopping = AbortSignal.any([signal, children.broken])
  process.env['AWS_ACCESS_KEY_ID'] = FAKE_ACCESS_KEY
  process.env['AWS_SECRET_ACCESS_KEY'] = 'of-no-use'
  try {
    const run = { folder, children, main: built.main, counts, signal: stopping }
    const all: Measured[] = []
    for (const workloads of [counts.small, counts.medium, counts.large]) all.push(await measureFleet(workloads, run))
    return findings(all, await replicasTable(run), { ...counts, store: mediumOf(folder) })
  } finally {
    await children.stop()
    built.remove()
    rmSync(folder, { recursive: true, force: true })
  }
}

async function replicasTable(run: FleetRun): Promise<Table> {
  const redis = findRedis()
  if (redis === null) return { 'not measured': { why: 'redis-server is not installed' } }
  const { medium, large } = run.counts
  const rows: Record<string, Table[string]> = {}
  for (const workloads of [medium, large]) Object.assign(rows, await measureReplicas(workloads, { ...run, redis }))
  return rows
}

async function measureFleet(workloads: number, run: FleetRun): Promise<Measured> {
  const { folder, children, main, counts, signal } = run
  const place = join(folder, `fleet-${workloads}`)
  const setting = { sweepSeconds: counts.interval }
  const { prometheus, configPath, files, logPath } = await layFleet(
    { workloads, migrations: 1 },
    place,
    children,
    setting,
  )
  const { store, shards } = openSqlite(join(place, 'headgate.db'))
  await seedFleet(shards, files)
  await store.close()
  let fleet: FleetProcess = startFleet(main, configPath, logPath('fleet'))
  try {
    const measured = await overSweeps(fleet, prometheus, counts, signal)
    await fleet.stop()
    const sample = Math.min(workloads, counts.naive)
    const naive = await naiveCpuSeconds(prometheus.url, sample)
    await prometheus.forget()
    const startedMs = Date.now()
    fleet = startFleet(main, configPath, logPath('fleet'))
    const firstMs = await prometheus.allAskedAtMs(signal)
    const startCpuSeconds = fleet.usage().cpuSeconds
    return {
      workloads,
      ...measured,
      startSeconds: (firstMs - startedMs) / 1000,
      startCpuSeconds,
      naiveCpuSecondsPerSweep: (naive / sample) * workloads,
    }
  } finally {
    await fleet.kill()
  }
}

async function overSweeps(fleet: FleetProcess, prometheus: FleetPrometheus, counts: Counts, signal: AbortSignal) {
  await fleet.sweeps(1, signal)
  const begun = fleet.usage()
  await fleet.sweeps(counts.refills, signal)
  const refilled = fleet.usage()
  await prometheus.amnesia()
  // One that is under way may have asked before.
  await fleet.sweeps(2, signal)
  await prometheus.forget()
  const before = fleet.usage()
  await fleet.sweeps(counts.sweeps, signal)
  const after = fleet.usage()
  // With a short interval the queries of what was committed last may have come before.
  await prometheus.allAskedAtMs(signal)
  const arrivals = await prometheus.sweepArrivals(counts.interval)
  return {
    refillingCpuSeconds: (refilled.cpuSeconds - begun.cpuSeconds) / counts.refills,
    cpuSecondsPerSweep: (after.cpuSeconds - before.cpuSeconds) / counts.sweeps,
    peakMemoryMb: after.peakMemoryMb,
    queriesPerSweep: Math.max(...arrivals.map(({ queries }) => queries)),
    pastQueriesPerSweep: (await prometheus.pastQueries()) / counts.sweeps,
    latenessP99Ms: percentile(
      arrivals.flatMap(({ latenessMs }) => latenessMs),
      99,
    ),
    writtenMbPerSweep: (after.writtenMb - before.writtenMb) / counts.sweeps,
  }
}

function findings(all: readonly Measured[], replicas: Table, setting: Counts & { readonly store: string }): Findings {
  const [, medium, large] = all
  if (!medium || !large) throw new Error('nothing was measured')
  const perWorkload = ({ cpuSecondsPerSweep, workloads }: Measured) => cpuSecondsPerSweep / workloads
  return {
    targets: [
      atMost('queries_per_sweep_over_slis_10k', large.queriesPerSweep / SLIS, 'queries', 3),
      atMost('cpu_core_percent_10k', (large.cpuSecondsPerSweep / setting.interval) * 100, '%', 25),
      atMost('cpu_per_workload_growth', perWorkload(large) / perWorkload(medium), 'times', 1.1),
      atMost('peak_memory_mb_10k', large.peakMemoryMb, 'MB', 400),
      atMost('lateness_p99_ms_10k', large.latenessP99Ms, 'ms', 500),
      atMost('start_seconds_10k', large.startSeconds, 's', 2),
      atLeast('naive_over_ours_cpu', large.naiveCpuSecondsPerSweep / large.cpuSecondsPerSweep, 'times', 1),
    ],
    details: {
      Fleets: Object.fromEntries(
        all.map((one) => [
          `${one.workloads} workloads`,
          {
            count: one.workloads,
            'CPU a sweep, s': rounded(one.cpuSecondsPerSweep),
            'refilling, s': rounded(one.refillingCpuSeconds),
            'naive loop, s': rounded(one.naiveCpuSecondsPerSweep),
            'peak memory, MB': rounded(one.peakMemoryMb),
            'queries a sweep': one.queriesPerSweep,
            'and about the past': rounded(one.pastQueriesPerSweep),
            'lateness p99, ms': rounded(one.latenessP99Ms),
            'written a sweep, MB': rounded(one.writtenMbPerSweep),
            'start, s': rounded(one.startSeconds),
            'start, s of CPU': rounded(one.startCpuSeconds),
          },
        ]),
      ),
      [THREE_REPLICAS]: replicas,
      Setting: {
        ...Object.fromEntries(Object.entries(setting).map(([name, value]) => [name, { value }])),
        'Route 53 calls a second': { value: QUOTA.perSecond },
      },
    },
  }
}

function rounded(value: number): number {
  return Math.round(value * 1000) / 1000
}
