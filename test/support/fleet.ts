import type { Member } from '../../src/core/fleet.ts'
import type { FleetPlan, Signal } from '../../src/core/fleet-plan.ts'
import { initialState } from '../../src/core/initial.ts'
import type { Phase, PhaseName, RolloutState } from '../../src/core/state.ts'
import { planOf } from '../scenarios/plans.ts'

export const FLEET_START_MS = Date.UTC(2026, 0, 5, 9)

/** A migration `m` of these waves, each a list of names, without any limit. */
export function fleetOf(waves: Readonly<Record<string, readonly string[]>>, more: Partial<FleetPlan> = {}): FleetPlan {
  return {
    migration: 'm',
    clusters: { old: 'blue', new: 'green' },
    waves: Object.entries(waves).map(([name, workloads]) => ({
      name,
      members: workloads.map((workload) => ({ workload, criticality: 1 })),
      concurrency: null,
    })),
    concurrency: null,
    spacingSeconds: 0,
    canaryFirst: false,
    breaker: null,
    signals: [],
    signalSource: '',
    ...more,
  }
}

/** A signal of NEW that must not be above 10. */
export function signalOf(more: Partial<Signal> = {}): Signal {
  return {
    id: 'queue',
    title: 'queue',
    query: 'max by (cluster) (queue_depth)',
    clusterLabel: 'cluster',
    bound: { max: 10 },
    unit: '',
    forSeconds: 60,
    ofTraffic: false,
    ...more,
  }
}

export interface MemberSettings extends Partial<Omit<RolloutState, 'phase'>> {
  readonly phase?: PhaseName
  readonly after?: readonly string[]
}

/** A rollout in that phase, which it entered at the start. */
export function memberOf(workload: string, { phase = 'waiting', after = [], ...state }: MemberSettings = {}): Member {
  return {
    plan: { ...planOf({}), workload, after },
    state: { ...initialState(workload, 'RUN', FLEET_START_MS), phase: phaseOf(phase), ...state },
  }
}

/** A phase with what it carries. */
export function phaseOf(name: PhaseName): Phase {
  switch (name) {
    case 'stepping':
      return { name, stepIndex: 0 }
    case 'reverting':
      return { name, reason: 'a test', startedAtMs: FLEET_START_MS }
    case 'reverted':
    case 'cancelled':
      return { name, reason: 'a test' }
    default:
      return { name }
  }
}
