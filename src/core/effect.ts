import type { Trial } from './plan.ts'
import type { HookPoint, TaskSpec } from './task.ts'

/** How pressing a write is: reverts go first, and use the provider's whole quota. */
export type Urgency = 'revert' | 'forward'

/** What the world is asked to do after the commit. Effects repeat at each step until a read-back shows them. */
export interface Effect {
  readonly kind: 'setWeight'
  readonly targetId: string
  readonly weightPercent: number
  /** DNS: the TTL that the target's records shall have, seconds; null: as it is. */
  readonly ttlSeconds: number | null
  /** null: none, and one that is there ends. */
  readonly trial: Trial | null
  readonly urgency: Urgency
}

/** To be begun unless it runs already or has ended: the key names it for good, for whoever does it too. */
export interface TaskRequest {
  readonly workload: string
  readonly key: string
  readonly about: TaskAbout
  readonly spec: TaskSpec
  readonly tries: number
  readonly deadlineSeconds: number
}

/** What a task is for, as whoever does it is told. */
export interface TaskAbout {
  readonly runId: string
  readonly migration: string
  /** A hook's point, or what else has it done. */
  readonly point: HookPoint | 'warm' | 'scale'
  /** The hook's id; else the same as the point. */
  readonly name: string
  /** Of the step that it belongs to. */
  readonly weightPercent: number
}
