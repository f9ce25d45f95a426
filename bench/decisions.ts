/** How well Headgate decides, beside the deciders that people use: see `about` below. */
import { measureCost } from './decisions/cost.ts'
import type { Job } from './decisions/measure.ts'
import { AVAILABILITY, LATENCY, planFor, WRITES } from './decisions/plan.ts'
import { runJobs } from './decisions/pool.ts'
import { reportOf, targetRuns } from './decisions/report.ts'
import { NAMES, SCENARIOS } from './decisions/scenarios.ts'
import { type Illustrated, runBench } from './lib.ts'

/** Runs of one job: enough to be worth a message, few enough that all cores end together. */
const JOB_RUNS = 50
/** Seeds of one scenario begin so far from those of the next. */
const SEEDS_A_SCENARIO = 1_000_000

const about = `
Simulated rollouts: ticks of 30 s, weights of 1, 5, 10, 25, 50, 75 and 90 % for twenty ticks each, by schedule, so that every decider
sees the same requests. Cached DNS answers run out evenly within 60 s of a new weight. Both clusters fail 0.05 % of requests while
nothing is wrong, against an objective of 99.9 %. 360 ticks of OLD come before, from which Headgate estimates how bad requests
cluster. A run is made by its seed alone.

**Headgate** is the service's own core, with every gate of the preset \`standard\` for an availability and a latency SLI. A test of each, and
one of the latency buckets, share the false halts; that of availability alone may revert. **The peers** are written from their own
documentation (bench/decisions/peers says which), watch the same two SLIs, and are tried in many settings. The tables show each as
documented, and the best of all settings.

- *False reverts* and *false halts* are rollouts of a healthy service with at least one. Those marked *extra* are no part of the
  targets. On a shared shock both clusters have 20 times the failures for 5 minutes: a halt is right, a revert is not.
- *Ticks to decision* are counted from the fault to the first halt or revert, 1 being the end of the fault's first tick. *Failed
  until revert* are requests that failed on NEW from the fault to the end of the tick with the revert; those of a fault that was
  never reverted count to the rollout's end. *Failed in the drain* come after it, from resolvers that still know NEW.
- *Best peer* is the setting with the fewest failed requests (0.05 % → 1 % at weight 5 %) among those with at most 1 false revert
  in 1,000 in every healthy scenario. A few hundred runs cannot tell 1 in 1,000 from 10, so that a short run may choose another
  one; \`--full\` decides. Their knobs were turned finely just where they begin to be of use here, the guard of the shortened burn
  rates too: that is more care than a user who does not know the faults could take.
- *change_point_ratio*: requests on NEW until the revert, for a fault that begins anywhere from the third to the fourteenth tick of
  the step at 5 %, over what any test needs at least for a change at an unknown one of the rollout's ticks; measured with one SLI,
  whose test has the whole of α.
- The green line of the picture is Headgate with its false alarms multiplied by 0.01 to 100, in a fifth of the runs.
- *A decision* takes one tick of one workload with 3 SLIs, one of them with 10 latency buckets, into all tests and proofs
  (\`weighGates\`), and judges all gates with their numbers and sentences (\`judge\`). Reading, committing and writing are not in it.
  It is timed as CPU of the process, alone, before the rollouts are played; what shares the cores' caches still shows.

![Failed requests against false reverts](decisions.svg)
`

await runBench({
  name: 'decisions',
  about,
  counts: { healthy: 120, bursty: 1500, faults: 40, decisions: 1_000_000, seed: 1 },
  full: { healthy: 10_000, bursty: 10_000, faults: 1000 },
  measure,
})

interface Counts {
  readonly healthy: number
  readonly bursty: number
  readonly faults: number
  readonly decisions: number
  readonly seed: number
}

async function measure(counts: Counts, signal: AbortSignal): Promise<Illustrated> {
  const startedMs = performance.now()
  // Before the workers, who would be in its way.
  const cost = measureCost(planFor([AVAILABILITY, LATENCY, WRITES]), counts.decisions)
  const results = await runJobs(jobsOf(counts), signal)
  return reportOf({ results, cost, counts, seconds: (performance.now() - startedMs) / 1000 })
}

function jobsOf({ healthy, bursty, faults, seed }: Counts): readonly Job[] {
  return SCENARIOS.flatMap(({ name, kind }, index) => {
    const isHeld = name === NAMES.headline || name === NAMES.unknownTick
    // Bursts tell the peers apart: a short run spends its time there.
    const calm = name === NAMES.bursty ? Math.max(healthy, bursty) : healthy
    const runs = kind === 'fault' ? (isHeld ? targetRuns(faults) : faults) : calm
    const firstSeed = seed + index * SEEDS_A_SCENARIO
    return Array.from({ length: Math.ceil(runs / JOB_RUNS) }, (_, job) => ({
      scenario: name,
      firstSeed: firstSeed + job * JOB_RUNS,
      runs: Math.min(JOB_RUNS, runs - job * JOB_RUNS),
    }))
  })
}
