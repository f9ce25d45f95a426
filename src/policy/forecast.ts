import { fleetReadings, type Member } from '../core/fleet.ts'
import type { FleetPlan } from '../core/fleet-plan.ts'
import { initialState } from '../core/initial.ts'
import type { Json, Plan } from '../core/plan.ts'
import type { PhaseName } from '../core/state.ts'
import { type AccountForecast, forecastAccounts } from './forecast-quota.ts'
import {
  type Assumed,
  forecastWorkload,
  neverStarts,
  openingFrom,
  type PlannedWrite,
  type WorkloadForecast,
} from './forecast-workload.ts'

/** What would happen to a migration if nothing went wrong, nobody waited, and every gate passed when it may. */
export interface Forecast {
  readonly migration: string
  readonly startMs: number
  /** The last workload's end; null: some never end. */
  readonly endsAtMs: number | null
  readonly waves: readonly WaveForecast[]
  readonly accounts: readonly AccountForecast[]
}

export interface WaveForecast {
  readonly name: string
  /** Its first start; null: none starts. */
  readonly startsAtMs: number | null
  /** The next wave may begin then. */
  readonly bakedAtMs: number | null
  /** In the order of their starts. */
  readonly workloads: readonly WorkloadForecast[]
}

export interface ForecastInput extends Assumed {
  readonly plans: readonly Plan[]
  readonly fleet: FleetPlan
  /** By kind: what its targets share, as the config has it. */
  readonly providers: Readonly<Record<string, Json>>
  readonly startMs: number
}

/** Goes through a migration from start to end. Who may start when is asked of the same function as in service. Pure. */
export function forecast(input: ForecastInput): Forecast {
  const { fleet, startMs, providers } = input
  const { started, writes, never } = starts(input)
  const all = [...started, ...never]
  const waves = fleet.waves.map(({ name, members }): WaveForecast => {
    const own = all.filter(({ workload }) => members.some((member) => member.workload === workload))
    return {
      name,
      startsAtMs: own.find(({ startsAtMs }) => startsAtMs !== null)?.startsAtMs ?? null,
      bakedAtMs: latest(own.map(({ bakedAtMs }) => bakedAtMs)),
      workloads: own,
    }
  })
  return {
    migration: fleet.migration,
    startMs,
    endsAtMs: latest(all.map(({ endsAtMs }) => endsAtMs)),
    waves,
    accounts: forecastAccounts(writes, providers),
  }
}

interface Starts {
  readonly started: readonly WorkloadForecast[]
  readonly never: readonly WorkloadForecast[]
  readonly writes: readonly PlannedWrite[]
}

function starts(input: ForecastInput): Starts {
  const { plans, startMs, fleet } = input
  const started = new Map<string, WorkloadForecast>()
  const writes: PlannedWrite[] = []
  const reasons = new Map<string, string>()
  let opening = openingFrom(startMs, input)
  for (;;) {
    const nowMs: number | null = opening.atMs
    const waiting = plans.filter(({ workload }) => !started.has(workload))
    const { waitedFor } = opening
    if (waitedFor !== null) for (const { workload } of waiting) reasons.set(workload, waitedFor)
    if (nowMs === null || waiting.length === 0) break
    const against = reasonsAgainst(plans, started, fleet, nowMs)
    for (const plan of waiting) {
      const reason = against(plan)
      if (reason !== null) {
        reasons.set(plan.workload, reason)
        continue
      }
      const way = forecastWorkload(plan, nowMs, reasons.get(plan.workload) ?? null, input)
      started.set(plan.workload, way.forecast)
      writes.push(...way.writes)
    }
    const next = nextEvent([...started.values()], fleet, nowMs)
    if (next === null) break
    opening = openingFrom(next, input)
  }
  const left = plans.filter(({ workload }) => !started.has(workload))
  const never = left.map((plan) => neverStarts(plan, reasons.get(plan.workload) ?? 'nothing lets it start'))
  return { started: [...started.values()], never, writes }
}

/** Why a workload may not start at a moment; null: it may. Nothing is known yet of signals, and nothing reverts. */
function reasonsAgainst(
  plans: readonly Plan[],
  started: ReadonlyMap<string, WorkloadForecast>,
  fleet: FleetPlan,
  nowMs: number,
): (plan: Plan) => string | null {
  const phaseOf = (workload: string): PhaseName => {
    const way = started.get(workload)
    if (way === undefined) return 'waiting'
    return way.bakedAtMs !== null && way.bakedAtMs <= nowMs ? 'completed' : 'baking'
  }
  const members = plans.map((plan): Member => {
    const state = initialState(plan.workload, 'forecast', nowMs)
    const name = phaseOf(plan.workload)
    const startedAtMs = started.get(plan.workload)?.startsAtMs ?? null
    if (name !== 'baking' && name !== 'completed') return { plan, state }
    return { plan, state: { ...state, startedAtMs, phase: { name } } }
  })
  const readings = fleetReadings({ ...fleet, signals: [], breaker: null }, members, [], nowMs)
  return ({ workload, after }) => {
    const undone = after.filter((name) => phaseOf(name) !== 'completed')
    if (undone.length > 0) return `waits for ${undone.join(', ')} to have baked`
    return readings.get(workload)?.waitsFor ?? null
  }
}

/** The next moment at which somebody else may start; null: there is none. */
function nextEvent(started: readonly WorkloadForecast[], { spacingSeconds }: FleetPlan, nowMs: number): number | null {
  const spaced = started.flatMap(({ startsAtMs }) => (startsAtMs === null ? [] : [startsAtMs + spacingSeconds * 1000]))
  const baked = started.flatMap(({ bakedAtMs }) => bakedAtMs ?? [])
  const coming = [...spaced, ...baked].filter((ms) => ms > nowMs)
  return coming.length === 0 ? null : Math.min(...coming)
}

function latest(times: readonly (number | null)[]): number | null {
  const known = times.flatMap((ms) => ms ?? [])
  return known.length < times.length || known.length === 0 ? null : Math.max(...known)
}
