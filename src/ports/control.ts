import type { JournalRow } from '../core/event.ts'
import type { FleetView } from '../core/fleet-view.ts'
import type { Verdict } from '../core/gates/verdict.ts'
import type { CommandName, Observation } from '../core/observation.ts'
import type { Plan, Sides } from '../core/plan.ts'
import type { ProblemJson } from '../core/problem.ts'
import type { RolloutState } from '../core/state.ts'

/** What the API may see of, and say to, the running service. */
export interface Control {
  status(): ServiceStatus
  /** Has what follows tell also what other replicas have committed by now. Never fails: what cannot be read stays as it was. */
  refresh(): Promise<void>
  /** In the order of the config. */
  workloads(): readonly WorkloadView[]
  /** The migrations as wholes, in the order of the config. */
  fleets(): readonly FleetView[]
  /**
   * Puts a command into the inbox and wakes the engine. Durable when it resolves; what came of it is the journal's
   * `command-done` or `command-refused` with this fact id. Throws API_NOT_FOUND for an unknown workload, and what the
   * inbox throws.
   */
  submit(request: CommandRequest): Promise<Submitted>
  /**
   * The same for many workloads at once: all of their commands are durable, or none. Throws API_NOT_FOUND when one of the
   * workloads is unknown.
   */
  submitAll(
    request: Omit<CommandRequest, 'workload' | 'factId'>,
    workloads: readonly string[],
  ): Promise<readonly Submitted[]>
  /** Calls the listener after each commit with rows, until the returned function is called. */
  onCommit(listener: (rows: readonly JournalRow[]) => void): () => void
}

export interface ServiceStatus {
  readonly version: string
  /** Those of the config, in its order. */
  readonly migrations: readonly MigrationStatus[]
  readonly configHash: string
  readonly startedAtMs: number
  readonly nowMs: number
  /** End of the newest sweep that was committed; null: none yet. */
  readonly lastSweepAtMs: number | null
  readonly sweepSeconds: number
  /** Why the service cannot decide now; empty: ready. */
  readonly notReady: readonly ProblemJson[]
}

/** A shard, as one replica sees it. */
export interface ShardStand {
  readonly shard: string
  /** Whether this replica decides about it. */
  readonly isHeld: boolean
  /** End of the newest sweep here that was committed; null: none yet, or another replica has it. */
  readonly lastSweepAtMs: number | null
}

export interface MigrationStatus {
  readonly migration: string
  readonly clusters: Sides<string>
}

export interface WorkloadView {
  readonly state: RolloutState
  /** The pinned plan, or the config's while waiting. */
  readonly plan: Plan
  /** The newest verdict of each gate; null: nothing was judged since this process loaded the store. */
  readonly verdicts: readonly Verdict[] | null
  /** The newest readings. */
  readonly observation: Pick<Observation, 'targets' | 'slis' | 'probes' | 'checks' | 'replicas'>
}

export interface CommandRequest {
  readonly workload: string
  readonly command: CommandName
  readonly reason: string
  readonly actor: string
  readonly force: boolean
  /** Approval roles of whoever sends it. */
  readonly roles: readonly string[]
  /** The sender's own id, so that a repeated request counts once; null: a fresh one. */
  readonly factId: string | null
}

export interface Submitted {
  readonly factId: string
  /** False: a fact with this id was there before. */
  readonly isNew: boolean
}
