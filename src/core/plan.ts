import type { CheckRules, PlanCheck } from './check.ts'
import type { SliSpec } from './sli.ts'
import type { SyntheticSpec } from './synthetic.ts'
import type { Hook, WarmTask } from './task.ts'

export type { SliMeasure, SliOrigin, SliSpec } from './sli.ts'

/**
 * A plan: a policy resolved for one workload. It is plain JSON without secrets, so it can be pinned into a rollout,
 * stored, shown and compared. Nothing here is optional: defaults were applied, and shown, before.
 */
export interface Plan {
  /** SHA-256 of the rest, hex, first 16 digits: names this plan in events and the store. */
  readonly hash: string
  readonly migration: string
  readonly workload: string
  /** The two clusters, as the cluster label of the metrics names them. */
  readonly clusters: Sides<string>
  /** The policy's name in the config. */
  readonly policy: string
  /** Workloads that must have baked before this one starts. */
  readonly after: readonly string[]
  /** Rising weights; the last one is 100. */
  readonly steps: readonly PlanStep[]
  /** Where a revert goes, percent, below the first step. */
  readonly safeWeightPercent: number
  /** How long 100 % is watched before the workload counts as moved, seconds. */
  readonly bakeSeconds: number
  /** How long OLD's remaining traffic is watched after baking, seconds. */
  readonly drainSeconds: number
  /** Requests that NEW must have served since the weight came in force before a count gate may pass. */
  readonly minRequests: number
  /** A page goes out when data has been missing for so long, seconds. */
  readonly blindAfterSeconds: number
  /** What to do about a weight that somebody else wrote. */
  readonly drift: 'hold' | 'correct'
  /** How far the observed share may be from the weight, in points, beside chance; null: not checked. */
  readonly shareTolerancePercent: number | null
  /** A gap between weight and observed share that lasts so long is told as `stuck`, seconds. */
  readonly stuckAfterSeconds: number
  readonly gates: readonly Gate[]
  readonly targets: readonly PlanTarget[]
  readonly slis: readonly SliSpec[]
  readonly probes: readonly ProbeSpec[]
  /** Judged as probes are. */
  readonly synthetics: readonly SyntheticSpec[]
  /** The workload's object in each cluster; null: none is named, and nothing of Kubernetes is looked at. */
  readonly objects: Sides<ObjectRef> | null
  readonly checks: readonly PlanCheck[]
  readonly checkRules: CheckRules
  readonly hooks: readonly Hook[]
  /** null: replicas are not looked at. */
  readonly capacity: CapacityRule | null
  readonly drain: DrainRule
}

/** A workload's object in a cluster. */
export interface ObjectRef {
  readonly kind: 'Deployment' | 'StatefulSet'
  readonly namespace: string
  readonly name: string
}

/** Whether a cluster has the replicas that its share needs. */
export interface CapacityRule {
  /** Replicas that all of the traffic needs; null: as many as OLD had at the start. */
  readonly fullReplicas: number | null
  /** On top of the share, percent. */
  readonly headroomPercent: number
  /** `up`: Headgate scales up what is too small, before a raise in NEW, before a revert in OLD. */
  readonly scale: 'off' | 'up'
  /** What OLD is scaled down to once the workload has moved; null: OLD is left alone. */
  readonly oldAfterwards: { readonly replicas: number; readonly approval: boolean } | null
}

/** When OLD counts as quiet. */
export interface DrainRule {
  /** Requests at OLD in the whole drain time that are still quiet. */
  readonly maxRequests: number
  /** An SLI whose value counts OLD's connections, and how many are still quiet; null: they are not looked at. */
  readonly connections: { readonly sli: string; readonly max: number } | null
  /** Labels that tell who still comes, each with what counts OLD's requests by its values; null: that SLI cannot be told apart. */
  readonly by: readonly { readonly label: string; readonly sli: SliSpec | null }[]
}

/** One value for OLD, one for NEW. */
export interface Sides<T> {
  readonly old: T
  readonly new: T
}

export type Side = keyof Sides<unknown>

export interface PlanStep {
  /** Share sent to NEW, 0 to 100 in steps of 0.1; that of the step before where this one only waits, warms or asks. */
  readonly weightPercent: number
  /** What NEW gets although no user's answer comes from there; null: nothing but its share. */
  readonly trial: Trial | null
  /** How long the weight must have been in force, and observed, before the next step, seconds. */
  readonly holdSeconds: number
  /** Requests at NEW once its weight is in force, before the next step; null: none. */
  readonly warm: WarmTask | null
  /** Who must approve before this step; null: nobody. */
  readonly approval: Approval | null
}

/** A person's word on a step. */
export interface Approval {
  /** One of these must be the person's; empty: any operator. */
  readonly roles: readonly string[]
  /** An approval older than that is none, seconds; null: it does not expire. */
  readonly expiresSeconds: number | null
}

/** Requests at NEW before any weight. Who sends marked ones knows that; a mirrored one is a copy whose answer is dropped. */
export type Trial = { readonly kind: 'marked' } | { readonly kind: 'mirror'; readonly percent: number }

/** What a gate may do at worst. `halt` keeps the weight, `revert` brings it back. */
export type Harm = 'halt' | 'revert'

export type Gate =
  | { readonly kind: 'burnRate'; readonly id: string; readonly sli: string; readonly pairs: readonly BurnPair[] }
  | {
      readonly kind: 'threshold'
      readonly id: string
      readonly sli: string
      readonly bound: Bound
      readonly then: Harm
    }
  | {
      readonly kind: 'probe'
      readonly id: string
      readonly probe: string
      /** Failures in a row on NEW that count as harm. */
      readonly failures: number
      /** Passes in a row on NEW, since the weight came in force, that the gate needs. */
      readonly passes: number
      readonly then: Harm
    }
  | HarmGate
  | LatencyGate
  | ProofGate
  | BudgetGate

/** Tests, valid at any number of looks, of whether NEW is worse than allowed (`gates/harm-test.ts`). */
export interface HarmGate {
  readonly kind: 'harm'
  readonly id: string
  /** Whose events count: an SLI's, or the rounds of a probe. */
  readonly of: { readonly sli: string } | { readonly probe: string }
  readonly worst: Harm
  /** Worse than OLD by so much: bring the traffic back. */
  readonly revert: Allowance
  /** Worse than OLD by a little: stop here. */
  readonly halt: Allowance
  /** Bad whatever OLD does: stop here; where OLD is as bad, it is a shared dependency. Its ratio is 0. */
  readonly absolute: Allowance
  readonly dispersion: DispersionLimits
}

/** What NEW may have before a test speaks up. */
export interface Allowance {
  /** Times OLD's rate of bad events. */
  readonly ratio: number
  /** Bad events per event on top. */
  readonly margin: number
  /** The share of healthy rollouts in which the test may speak up at all. */
  readonly alpha: number
}

/** How bursts of bad events are accounted for: the estimate from OLD's history, within limits. */
export interface DispersionLimits {
  /** φ where the history is too short to tell, ≥ 1. */
  readonly assumed: number
  readonly max: number
}

/** The same test on the tail of latencies, at every bucket boundary at once. */
export interface LatencyGate {
  readonly kind: 'latency'
  readonly id: string
  /** An SLI whose source gives buckets. */
  readonly sli: string
  readonly worst: Harm
  /** The share of events slower than a boundary that NEW may have on top of OLD's. */
  readonly margin: number
  readonly alpha: { readonly halt: number; readonly revert: number }
  readonly dispersion: DispersionLimits
}

/** Proof that NEW is good enough for the next weight (`gates/proof-test.ts`). */
export interface ProofGate {
  readonly kind: 'proof'
  readonly id: string
  readonly sli: string
  readonly ratio: number
  /** At a weight of 100 %; below it grows as the next weight is smaller, and so what NEW could spoil there. */
  readonly margin: number
  /** A weight that is not good enough gets so far with a chance of at most 1/need. */
  readonly need: number
  /** Where too little traffic comes to prove it: after so many seconds in force, what counts instead. */
  readonly lowTraffic: { readonly afterSeconds: number; readonly then: LowTraffic }
  readonly dispersion: DispersionLimits
}

/** `wait` for more requests; let the probes' passes count; or have a person decide. */
export type LowTraffic = 'wait' | 'probes' | 'person'

/** The error budget of 30 days that this migration itself has spent. */
export interface BudgetGate {
  readonly kind: 'budget'
  readonly id: string
  readonly sli: string
  readonly worst: Harm
  readonly haltPercent: number
  readonly revertPercent: number
}

/** A multi-window burn-rate alert: both windows at or above the factor (Google SRE workbook, chapter 5). */
export interface BurnPair {
  readonly longSeconds: number
  readonly shortSeconds: number
  /** Times the budget's even spending, ≥ 2. */
  readonly factor: number
  readonly then: Harm
}

export type Bound = { readonly max: number } | { readonly min: number }

export interface PlanTarget {
  /** Unique in the migration: workload, kind and place. */
  readonly id: string
  /**
   * `split` has the workload's weight. `boomerang` is a route in NEW that serves what arrives there, and sends it back to
   * OLD when the rollout reverts: clients that still have NEW's address come back at once.
   */
  readonly role: 'split' | 'boomerang'
  /** Kind in the traffic registry. */
  readonly kind: string
  /** What one atomic write covers and one writer owns; unique over kinds. */
  readonly scope: string
  /** The kind's own settings, checked by its schema; secrets are references. */
  readonly settings: Json
  /** From a confirmed write until every server of the provider has it, seconds. A TTL comes on top. */
  readonly propagationSeconds: number
  /** DNS: the TTL to have while traffic moves, seconds; null: TTLs are left alone. */
  readonly movingTtlSeconds: number | null
}

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

/** One synthetic request, asked of the address of each cluster that it names. */
export interface ProbeSpec {
  /** Unique within the workload. */
  readonly name: string
  readonly url: string
  readonly method: 'GET' | 'HEAD'
  /** Where each side answers: `host` or `host:port`; null: not probed there. DNS is not asked. */
  readonly address: Sides<string | null>
  /** Statuses that pass, e.g. [200, 204]. */
  readonly expectStatus: readonly number[]
  /** A regular expression that the body must match; null: any body. */
  readonly expectBody: string | null
  /** Slower than this fails, seconds. */
  readonly slowerThanSeconds: number
  /** A certificate with fewer days left fails; null: not checked. */
  readonly certificateDays: number | null
  /** Link-local and metadata addresses, or ranges of them, that it may have all the same. */
  readonly allowAddresses: readonly string[]
}
