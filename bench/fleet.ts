/** What a fleet costs, from a hundred workloads to ten thousand: see `about` below. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Children, createChildren } from '../examples/demo/children.ts'
import { openSqlite } from '../src/store/sqlite.ts'
import { FAKE_ACCESS_KEY } from '../test/fakes/route53.ts'
import { buildService } from './fleet-build.ts'
import { naiveCpuSeconds } from './fleet-naive.ts'
import { type FleetProcess, startFleet } from './fleet-process.ts'
import { seedFleet } from './fleet-seed.ts'
import { type FleetPrometheus, startFleetPrometheus } from './fleet-source.ts'
import { configText, LATENCY_BOUNDS_SECONDS, type Setting, SLIS, zonesOf } from './fleet-world.ts'
import { atLeast, atMost, type Findings, mediumOf, percentile, runBench } from './lib.ts'
import { QUOTA, startRoute53 } from './route53.ts'

/** The quickest of its calls, ms. */
const PROVIDER_LATENCY_MS = 50

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
`

await runBench({
  name: 'fleet',
  about,
  counts: { small: 100, medium: 1000, large: 10_000, sweeps: 10, refills: 3, interval: 10, naive: 500 },
  longestMinutes: 15,
  measure,
})

type Counts = Readonly<Record<'small' | 'medium' | 'large' | 'sweeps' | 'refills' | 'interval' | 'naive', number>>

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
    const all: Measured[] = []
    for (const workloads of [counts.small, counts.medium, counts.large])
      all.push(await measureFleet(workloads, { folder, children, main: built.main, counts, signal: stopping }))
    return findings(all, { ...counts, store: mediumOf(folder) })
  } finally {
    await children.stop()
    built.remove()
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Around {
  readonly folder: string
  readonly children: Children
  readonly main: string
  readonly counts: Counts
  readonly signal: AbortSignal
}

async function measureFleet(workloads: number, around: Around): Promise<Measured> {
  const { folder, children, main, counts, signal } = around
  const prometheus = await startFleetPrometheus(children, workloads)
  const place = join(folder, `fleet-${workloads}`)
  const setting = { sweepSeconds: counts.interval, sourceUrl: prometheus.url }
  const configPath = await preparedFleet(workloads, place, children, setting)
  let fleet: FleetProcess = startFleet(main, configPath)
  try {
    const measured = await overSweeps(fleet, prometheus, counts, signal)
    await fleet.stop()
    const sample = Math.min(workloads, counts.naive)
    const naive = await naiveCpuSeconds(prometheus.url, sample)
    await prometheus.forget()
    const startedMs = Date.now()
    fleet = startFleet(main, configPath)
    const firstMs = await prometheus.firstArrivalMs(signal)
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

/** A config, its store full of rollouts under way, and their records at the provider. */
async function preparedFleet(
  workloads: number,
  folder: string,
  children: Children,
  setting: Omit<Setting, 'providerUrl'>,
) {
  const route53 = await startRoute53(children, `route53-${workloads}`, PROVIDER_LATENCY_MS)
  const zones = zonesOf(workloads)
  for (const { id, domain, labels } of zones)
    await route53.seed([{ id, domain, labels, weights: { old: 75, new: 25 } }])
  mkdirSync(folder)
  const configPath = join(folder, 'headgate.yaml')
  const text = configText(zones, { ...setting, providerUrl: route53.url })
  writeFileSync(configPath, text)
  const { store } = openSqlite(join(folder, 'headgate.db'))
  await seedFleet(store, [{ file: configPath, text }])
  await store.close()
  return configPath
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
  const arrivals = await prometheus.sweepArrivals(counts.interval)
  return {
    refillingCpuSeconds: (refilled.cpuSeconds - begun.cpuSeconds) / counts.refills,
    cpuSecondsPerSweep: (after.cpuSeconds - before.cpuSeconds) / counts.sweeps,
    peakMemoryMb: after.peakMemoryMb,
    queriesPerSweep: Math.max(...arrivals.map(({ queries }) => queries)),
    pastQueriesPerSweep: (await prometheus.pastQueries()) / counts.sweeps,
    latenessP99Ms: percentile(
      arrivals.map(({ latenessMs }) => latenessMs),
      99,
    ),
    writtenMbPerSweep: (after.writtenMb - before.writtenMb) / counts.sweeps,
  }
}

function findings(all: readonly Measured[], setting: Counts & { readonly store: string }): Findings {
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
