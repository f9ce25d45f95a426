import type { TaskRequest } from '../core/effect.ts'
import type { TaskSpec } from '../core/task.ts'
import type { ClustersOf } from '../ports/cluster.ts'
import type { AdapterContext } from '../ports/kind.ts'
import type { Random } from '../ports/runtime.ts'
import type { Prober } from '../ports/source.ts'
import type { guardedConnector } from '../shared/guard.ts'

/** What tasks are done with. */
export interface TaskTools extends Pick<AdapterContext, 'clock' | 'secret' | 'tracer'> {
  readonly random: Random
  readonly prober: Prober
  readonly clustersOf: ClustersOf
  /** In place of the system's, where a test has names of its own. */
  readonly lookup?: Parameters<typeof guardedConnector>[1]
}

/** One try of a task. */
export interface Attempt<Spec extends TaskSpec> {
  readonly request: TaskRequest
  readonly spec: Spec
  /** From 1. After a restart it begins anew. */
  readonly number: number
  /** Aborts at the deadline of all tries, and when Headgate stops. What comes after that is dropped. */
  readonly signal: AbortSignal
  /** Until the deadline, seconds. */
  remainingSeconds(): number
  /** Says how far it is, one clause without secrets. */
  tell(detail: string): void
}

/**
 * How a try ended, one clause. `failed`: an answer that another try would not change. `trouble`: no answer, so it is tried
 * again as often as the task may be.
 */
export interface AttemptEnd {
  readonly outcome: 'passed' | 'failed' | 'trouble'
  readonly detail: string
  /** Of a trouble: no sooner is the next try, seconds; left out: as soon as may be. */
  readonly retryAfterSeconds?: number
}

/** Does one try. May reject once the signal has aborted, and for a fault of Headgate's own. */
export type RunAttempt<Spec extends TaskSpec> = (attempt: Attempt<Spec>, tools: TaskTools) => Promise<AttemptEnd>

export function passed(detail: string): AttemptEnd {
  return { outcome: 'passed', detail }
}

export function failed(detail: string): AttemptEnd {
  return { outcome: 'failed', detail }
}

export function trouble(detail: string): AttemptEnd {
  return { outcome: 'trouble', detail }
}
