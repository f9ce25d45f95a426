import type { ObjectRef, ProbeSpec, Side } from './plan.ts'

/** Something that is done once and takes a while: it passes or fails. Secrets are references. */
export type TaskSpec = HttpTask | JobTask | WarmTask | ScaleTask

/** A signed POST; an answer of 202 is asked again until it is another. */
export interface HttpTask {
  readonly kind: 'http'
  readonly url: string
  /** The key that signs the body (HMAC-SHA256), by reference; null: not signed. */
  readonly signingKey: string | null
  readonly expectStatus: readonly number[]
  /** A regular expression that the answer's body must match; null: any. */
  readonly expectBody: string | null
  /** How long one answer may take, seconds. */
  readonly timeoutSeconds: number
  /** Link-local and metadata addresses that it may have all the same; others are refused. */
  readonly allowAddresses: readonly string[]
}

/** A Kubernetes Job, made of a CronJob's template. */
export interface JobTask {
  readonly kind: 'job'
  readonly cluster: Side
  readonly namespace: string
  readonly cronJob: string
}

/** A bounded number of requests at NEW, asked as the workload's probes are. */
export interface WarmTask {
  readonly kind: 'warm'
  readonly requests: number
  readonly perSecond: number
  /** Of the last so many answers, at least this share must pass, percent. */
  readonly passPercent: number
  /** What is asked, in turns: the workload's probes of NEW. */
  readonly probes: readonly ProbeSpec[]
}

/** How long a warm-up may take: twice what its requests need, seconds. */
export function warmSeconds({ requests, perSecond }: WarmTask): number {
  return 60 + (2 * requests) / perSecond
}

/** Sets the replicas of a workload's object, never to fewer than it has, unless `isDown`. */
export interface ScaleTask {
  readonly kind: 'scale'
  readonly cluster: Side
  readonly object: ObjectRef
  readonly replicas: number
  readonly isDown: boolean
}

export const HOOK_POINTS = ['preflight', 'before-step', 'after-step', 'before-completion', 'after-revert'] as const
export type HookPoint = (typeof HOOK_POINTS)[number]

/** A task of somebody else's making, at a point of the way. */
export interface Hook {
  /** Unique in the policy. */
  readonly id: string
  readonly at: HookPoint
  /** Only at the steps that move to these weights, percent; null: at every step, whatever it does. */
  readonly weightsPercent: readonly number[] | null
  readonly task: HttpTask | JobTask
  /** Tries before it counts as failed, ≥ 1. */
  readonly tries: number
  /** All tries together, seconds. */
  readonly deadlineSeconds: number
  /** What a failure does. `go-on`: it is told alone. */
  readonly then: 'hold' | 'revert' | 'go-on'
}

/** How far a task is, by its key. */
export type TaskReading =
  | { readonly kind: 'running'; readonly detail: string }
  | { readonly kind: 'passed' | 'failed'; readonly atMs: number; readonly seconds: number; readonly detail: string }

/** A task that was asked for; without an outcome it is asked for again at each step, under the same key. */
export interface TaskState {
  readonly askedAtMs: number
  readonly outcome: 'passed' | 'failed' | null
  readonly detail: string
  /** Rises when a person has a failed one done again. */
  readonly round: number
}
