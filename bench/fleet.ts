/** What a fleet costs, from a hundred workloads to ten thousand: see `about` below. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Children, createChildren } from '../examples/demo/children.ts'
import { FAKE_ACCESS_KEY } from '../test/fakes/route53.ts'
import { naiveCpuSeconds } from './fleet-naive.ts'
import { type FleetProcess, startFleet } from './fleet-process.ts'
import { startFleetPrometheus } from './fleet-source.ts'
import { LATENCY_BOUNDS_SECONDS, SLIS, SWEEP_SECONDS, zonesOf } from './fleet-world.ts'
import { atLeast, atMost, type Findings, mediumOf, percentile, runBench } from './lib.ts'
import { QUOTA, startRoute53 } from './route53.ts'

const about = `
What \`headgate run\` costs with a fleet under way: every workload at 25 % over Route 53, in a step that holds for a day, judged by
${SLIS} SLIs (two of counters, one of a histogram with ${LATENCY_BOUNDS_SECONDS.length} boundaries) with the gates of the \`standard\` preset, at a sweep of ${SWEEP_SECONDS} s. It is the
service itself, as a process of its own, with its SQLite store on disk; Prometheus is a fake that answers every series of every
workload from memory, Route 53 the strict fake at AWS's quotas, each another process on loopback.

CPU (user and system), the peak of the resident memory and the bytes written are what the kernel counts for the process. The lateness of a
sweep is the time from when it was due, a multiple of ${SWEEP_SECONDS} s, to its first query's arrival at Prometheus. The start is that of the
process, after a \`kill -9\` with all rollouts under way, to its first query: config, store and book are loaded then.

**The naive loop** asks, as scripts do, for each workload and SLI by itself, with Headgate's own client, the same fake and the same
questions; it does nothing with the answers.
`

await runBench({
  name: 'fleet',
  about,
  counts: { small: 100, medium: 1000, large: 10_000, sweeps: 12, naive: 500 },
  longestMinutes: 30,
  measure,
})

type Counts = Readonly<Record<'small' | 'medium' | 'large' | 'sweeps' | 'naive', number>>

interface Measured {
  readonly workloads: number
  readonly cpuSecondsPerSweep: number
  readonly peakMemoryMb: number
  readonly queriesPerSweep: number
  readonly latenessP99Ms: number
  readonly writtenMbPerSweep: number
  readonly startSeconds: number
  readonly naiveCpuSecondsPerSweep: number
}

async function measure(counts: Counts, signal: AbortSignal): Promise<Findings> {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-bench-'))
  const children = createChildren(folder)
  const stopping = AbortSignal.any([signal, children.broken])
  process.env['AWS_ACCESS_KEY_ID'] = FAKE_ACCESS_KEY
  process.env['AWS_SECRET_ACCESS_KEY'] = 'of-no-use'
  try {
    const all: Measured[] = []
    for (const workloads of [counts.small, counts.medium, counts.large])
      all.push(await measureFleet(workloads, { folder, children, counts, signal: stopping }))
    return findings(all, { sweeps: counts.sweeps, store: mediumOf(folder) })
  } finally {
    await children.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

interface Around {
  readonly folder: string
  readonly children: Children
  readonly counts: Counts
  readonly signal: AbortSignal
}

async function measureFleet(workloads: number, { folder, children, counts, signal }: Around): Promise<Measured> {
  const prometheus = await startFleetPrometheus(children, workloads)
  const route53 = await startRoute53(children, `route53-${workloads}`, 50)
  const zones = zonesOf(workloads)
  for (const { id, domain, labels } of zones)
    await route53.seed([{ id, domain, labels, weights: { old: 100, new: 0 } }])
  const place = join(folder, `fleet-${workloads}`)
  mkdirSync(place)
  const begin = () => startFleet({ folder: place, zones, sourceUrl: prometheus.url, providerUrl: route53.url })

  let fleet: FleetProcess = await begin()
  try {
    await fleet.inForce(workloads, signal)
    const measured = await overSweeps(fleet, prometheus, counts.sweeps, signal)
    await fleet.kill()
    await prometheus.forget()
    const startedMs = Date.now()
    fleet = await begin()
    const firstMs = await prometheus.firstArrivalMs(signal)
    const sample = Math.min(workloads, counts.naive)
    const naive = await naiveCpuSeconds(prometheus.url, sample)
    return {
      workloads,
      ...measured,
      startSeconds: (firstMs - startedMs) / 1000,
      naiveCpuSecondsPerSweep: (naive / sample) * workloads,
    }
  } finally {
    await fleet.kill()
  }
}

async function overSweeps(
  fleet: FleetProcess,
  prometheus: Awaited<ReturnType<typeof startFleetPrometheus>>,
  sweeps: number,
  signal: AbortSignal,
) {
  await fleet.sweeps(1, signal)
  await prometheus.forget()
  const before = fleet.usage()
  await fleet.sweeps(sweeps, signal)
  const after = fleet.usage()
  const arrivals = await prometheus.sweepArrivals()
  return {
    cpuSecondsPerSweep: (after.cpuSeconds - before.cpuSeconds) / sweeps,
    peakMemoryMb: after.peakMemoryMb,
    queriesPerSweep: Math.max(...arrivals.map(({ queries }) => queries)),
    latenessP99Ms: percentile(
      arrivals.map(({ latenessMs }) => latenessMs),
      99,
    ),
    writtenMbPerSweep: (after.writtenMb - before.writtenMb) / sweeps,
  }
}

function findings(all: readonly Measured[], setting: Readonly<Record<string, number | string>>): Findings {
  const [, medium, large] = all
  if (!medium || !large) throw new Error('nothing was measured')
  const perWorkload = ({ cpuSecondsPerSweep, workloads }: Measured) => cpuSecondsPerSweep / workloads
  return {
    targets: [
      atMost('queries_per_sweep_over_slis_10k', large.queriesPerSweep / SLIS, 'queries', 3),
      atMost('cpu_core_percent_10k', (large.cpuSecondsPerSweep / SWEEP_SECONDS) * 100, '%', 25),
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
            'CPU a sweep, s': rounded(one.cpuSecondsPerSweep),
            'naive loop, s': rounded(one.naiveCpuSecondsPerSweep),
            'peak memory, MB': rounded(one.peakMemoryMb),
            'queries a sweep': one.queriesPerSweep,
            'lateness p99, ms': rounded(one.latenessP99Ms),
            'written a sweep, MB': rounded(one.writtenMbPerSweep),
            'start, s': rounded(one.startSeconds),
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
