import type { Allowance, BurnPair, Gate, Harm } from '../core/plan.ts'
import type { Limit } from './evidence.ts'
import type { ResolvedPolicy } from './policies.ts'
import type { SliSettings } from './schema-sli.ts'

/** The tests of one probe: of its rounds, OLD's share of failures is small, and half the margin is enough to stop. */
const PROBE_RATIOS = { revert: 1.5, halt: 1 } as const
/** A round is one event, and the next is a sweep later: failures do not come in bursts within one. */
const NO_BURSTS = { assumed: 1, max: 1 } as const

/** What the gates of one workload are made from. */
interface Judged {
  readonly slis: readonly (readonly [name: string, settings: SliSettings])[]
  /** Names of the probes and synthetics that say something of NEW. */
  readonly probed: readonly string[]
  readonly policy: ResolvedPolicy
}

/**
 * All gates of a workload, in the order in which they are told. The tests of a workload share the false alarms of its
 * policy: each gets an equal part, so that a healthy rollout is stopped no more often because it has more SLIs. The
 * false reverts are shared by those alone that may revert.
 */
export function gatesOf({ slis, probed, policy }: Judged): Gate[] {
  const all = [...slis.flatMap(([, settings]) => testsOf(settings)), ...probed.map(() => policy.probes.then)]
  const tests = { halt: all.length, revert: all.filter((worst) => worst === 'revert').length }
  return [
    ...slis.flatMap(([sli, settings]) => sliGates(sli, settings, policy, tests)),
    ...probed.flatMap((probe) => probeGates(probe, policy, tests)),
  ]
}

/** How many tests share the false alarms: all may halt, some may revert. */
interface Tests {
  readonly halt: number
  readonly revert: number
}

/** The error budget: the share of events that may be bad. */
export function budgetOf(objectivePercent: number): number {
  return plain(1 - objectivePercent / 100)
}

/** Tests among the gates of an SLI, which take their part of the false alarms: the worst that each may do. */
function testsOf({ objectivePercent, measure, worst }: SliSettings): readonly Harm[] {
  if (objectivePercent === null) return []
  return hasBuckets(measure) ? [worst, worst] : [worst]
}

/** Both forms of histogram, which alone have a bound, count by buckets. */
function hasBuckets(measure: SliSettings['measure']): boolean {
  return 'slowerThanSeconds' in measure
}

function sliGates(sli: string, settings: SliSettings, policy: ResolvedPolicy, tests: Tests): Gate[] {
  const { bound, worst, objectivePercent, measure } = settings
  if (bound) return [{ kind: 'threshold', id: `threshold/${sli}`, sli, bound, then: worst }]
  if (objectivePercent === null) throw new Error(`SLI ${sli} has neither a bound nor an objective`)
  const { revert, halt, absolute, latencyMargin, bursts, proof, budget } = policy.evidence
  const share = budgetOf(objectivePercent)
  const pairs = policy.burnRate.map((pair): BurnPair => ({ ...pair, then: milder(pair.then, worst) }))
  const allow = (limit: Limit, sharers: number) => allowance(limit, share, sharers)
  // A test that may only halt takes its part of the false halts with either of its limits.
  const reverters = worst === 'revert' ? tests.revert : tests.halt
  const gates: Gate[] = [
    { kind: 'burnRate', id: `burnRate/${sli}`, sli, pairs },
    {
      kind: 'harm',
      id: `harm/${sli}`,
      of: { sli },
      worst,
      revert: allow(revert, reverters),
      halt: allow(halt, tests.halt),
      absolute: allow(absolute, tests.halt),
      dispersion: bursts,
    },
  ]
  if (hasBuckets(measure))
    gates.push({
      kind: 'latency',
      id: `latency/${sli}`,
      sli,
      worst,
      margin: latencyMargin,
      alpha: { halt: plain(halt.alpha / tests.halt), revert: plain(revert.alpha / reverters) },
      dispersion: bursts,
    })
  const { need, timesOld, plusBudgets, lowTraffic } = proof
  gates.push({ kind: 'budget', id: `budget/${sli}`, sli, worst, ...budget })
  gates.push({
    kind: 'proof',
    id: `proof/${sli}`,
    sli,
    ratio: timesOld,
    margin: plain(plusBudgets * share),
    need,
    lowTraffic,
    dispersion: bursts,
  })
  return gates
}

/** An SLI's name has no slash, so `harm/probe/…` is none of an SLI called "probe". */
function probeGates(probe: string, { probes, evidence }: ResolvedPolicy, tests: Tests): Gate[] {
  const { revert, halt, absolute, probeMargin } = evidence
  const reverters = probes.then === 'revert' ? tests.revert : tests.halt
  const allow = (ratio: number, margins: number, { alpha }: Limit, sharers: number): Allowance => {
    return { ratio, margin: plain(margins * probeMargin), alpha: plain(alpha / sharers) }
  }
  return [
    { kind: 'probe', id: `probe/${probe}`, probe, ...probes },
    {
      kind: 'harm',
      id: `harm/probe/${probe}`,
      of: { probe },
      worst: probes.then,
      revert: allow(PROBE_RATIOS.revert, 1, revert, reverters),
      halt: allow(PROBE_RATIOS.halt, 0.5, halt, tests.halt),
      absolute: allow(0, 2, absolute, tests.halt),
      dispersion: NO_BURSTS,
    },
  ]
}

function allowance({ timesOld, plusBudgets, alpha }: Limit, share: number, sharers: number): Allowance {
  return { ratio: timesOld, margin: plain(plusBudgets * share), alpha: plain(alpha / sharers) }
}

function milder(then: Harm, worst: Harm): Harm {
  return worst === 'halt' ? 'halt' : then
}

/** Without the noise of binary fractions: a pinned plan reads 0.001, not 0.0010000000000000009. */
function plain(value: number): number {
  return Number(value.toPrecision(12))
}
