import type { CalendarReading } from '../core/calendar.ts'
import type { CheckReading } from '../core/check.ts'
import type { TaskRequest } from '../core/effect.ts'
import type { ReplicasReading } from '../core/observation.ts'
import type { Plan, Sides } from '../core/plan.ts'
import type { PhaseName } from '../core/state.ts'
import type { TaskReading } from '../core/task.ts'

/** A rollout as whoever looks for it needs to know it. */
export interface Watched {
  readonly plan: Plan
  readonly phase: PhaseName
}

/**
 * Looks at something beside traffic and metrics, once a sweep for all rollouts together, and keeps the newest of it. It
 * decides by itself what is due: what changes slowly is not asked in each sweep. Never rejects: what fails is a reading.
 */
interface Lookout {
  look(rollouts: readonly Watched[], signal: AbortSignal): Promise<void>
  close(): Promise<void>
}

/** Runs the checks of plans. */
export interface Checker extends Lookout {
  /** By check id, of the plan's checks; one that was not looked at yet has no entry. No I/O. */
  readings(plan: Plan): Readonly<Record<string, CheckReading>>
}

/** Counts the replicas of workloads' objects. */
export interface ReplicaWatch extends Lookout {
  /** null: the plan names no objects, or nobody looked yet. No I/O. */
  reading(plan: Plan): Sides<ReplicasReading> | null
}

/** Runs tasks, each key once at a time; after a restart it knows nothing, and is asked again. */
export interface TaskRunner {
  /** Begins what is new among these; what runs or has ended is left. Returns at once. */
  want(requests: readonly TaskRequest[]): void
  /** How far each task of a workload is, by key. */
  readings(workload: string): Readonly<Record<string, TaskReading>>
  /** Ends what runs: whoever wants it again begins it anew. */
  close(): Promise<void>
}

/** Windows, freezes and peak hours. */
export interface Calendar {
  at(nowMs: number): CalendarReading
}
