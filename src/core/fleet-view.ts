import { judgeBreaker, revertsOf } from './breaker.ts'
import { isUnderWay, judgeSignals, type Member, membersOf } from './fleet.ts'
import type { FleetPlan, Wave } from './fleet-plan.ts'
import type { SignalReading } from './gates/signals.ts'
import type { Verdict } from './gates/verdict.ts'
import type { Sides } from './plan.ts'
import { hasBaked, type Phase } from './state.ts'

/** A migration as a whole, for people. */
export interface FleetView {
  readonly migration: string
  readonly clusters: Sides<string>
  readonly waves: readonly WaveView[]
  readonly concurrency: number | null
  readonly spacingSeconds: number
  readonly canaryFirst: boolean
  /** null: there is none. */
  readonly breaker: BreakerView | null
  /** One a signal. */
  readonly signals: readonly Verdict[]
}

export interface WaveView {
  readonly name: string
  readonly workloads: readonly string[]
  /** null: the migration's alone. */
  readonly concurrency: number | null
  readonly counts: WaveCounts
}

/** They add up to the wave's workloads. */
export interface WaveCounts {
  readonly waiting: number
  readonly underWay: number
  readonly baked: number
  readonly reverted: number
  readonly cancelled: number
}

export interface BreakerView {
  readonly reverts: number
  readonly withinSeconds: number
  /** Workloads that have reverted and were neither retried nor cancelled since. */
  readonly reverted: readonly string[]
  /** Why it keeps new workloads from starting; null: it does not. */
  readonly tripped: string | null
}

/** What a person is shown of a migration. */
export function fleetView(
  plan: FleetPlan,
  members: readonly Member[],
  signals: readonly SignalReading[],
  nowMs: number,
): FleetView {
  const own = membersOf(plan, members)
  const phases = new Map(own.map(({ state }) => [state.workload, state.phase]))
  const reverts = revertsOf(own.map(({ state }) => state))
  const { migration, clusters, concurrency, spacingSeconds, canaryFirst, breaker } = plan
  return {
    migration,
    clusters,
    waves: plan.waves.map((wave) => waveView(wave, phases)),
    concurrency,
    spacingSeconds,
    canaryFirst,
    breaker: breaker && {
      ...breaker,
      reverted: reverts.map(({ workload }) => workload),
      tripped: judgeBreaker(breaker, reverts, Number.NEGATIVE_INFINITY)?.sentence ?? null,
    },
    signals: judgeSignals(plan, own, signals, nowMs),
  }
}

function waveView({ name, members, concurrency }: Wave, phases: ReadonlyMap<string, Phase>): WaveView {
  const workloads = members.map(({ workload }) => workload)
  const kinds = workloads.map((workload) => kindOf(phases.get(workload) ?? null))
  const count = (kind: keyof WaveCounts) => kinds.filter((one) => one === kind).length
  return {
    name,
    workloads,
    concurrency,
    counts: {
      waiting: count('waiting'),
      underWay: count('underWay'),
      baked: count('baked'),
      reverted: count('reverted'),
      cancelled: count('cancelled'),
    },
  }
}

function kindOf(phase: Phase | null): keyof WaveCounts {
  if (phase === null) return 'waiting'
  if (isUnderWay(phase)) return 'underWay'
  if (hasBaked(phase.name)) return 'baked'
  return phase.name === 'reverted' || phase.name === 'cancelled' ? phase.name : 'waiting'
}
