import type { FleetReading, Observation } from '../core/observation.ts'
import type { Calendar, Checker, ReplicaWatch, TaskRunner, Watched } from '../ports/sight.ts'
import type { Fleet } from './fleet.ts'

/** What is looked at beside traffic and metrics. */
export interface Sights {
  /** Of a migration. Asked at each step: it follows the config. null: there is none. */
  readonly calendar: (migration: string) => Calendar | null
  readonly fleet: Fleet
  readonly checker: Checker
  readonly replicas: ReplicaWatch
  readonly tasks: TaskRunner
}

/** What one rollout may know of it now. */
export function sightOf(
  { calendar, checker, replicas, tasks }: Omit<Sights, 'fleet'>,
  { plan }: Pick<Watched, 'plan'>,
  fleet: FleetReading,
  nowMs: number,
): Pick<Observation, 'calendar' | 'fleet' | 'checks' | 'replicas' | 'tasks'> {
  return {
    calendar: calendar(plan.migration)?.at(nowMs) ?? null,
    fleet,
    checks: checker.readings(plan),
    replicas: replicas.reading(plan),
    tasks: tasks.readings(plan.workload),
  }
}
