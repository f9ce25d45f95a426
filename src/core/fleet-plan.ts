import type { Bound, Sides } from './plan.ts'

/** What holds for a migration as a whole. It follows the config at once: it is in no rollout's pinned plan. */
export interface FleetPlan {
  readonly migration: string
  readonly clusters: Sides<string>
  /** In their order: a wave begins when those before it have baked. Each workload is in exactly one. */
  readonly waves: readonly Wave[]
  /** Workloads that may be under way at once: started, and neither baked nor ended. null: any number. */
  readonly concurrency: number | null
  /** Between two starts, seconds. */
  readonly spacingSeconds: number
  /** The first workload of a wave, of the lowest criticality, bakes before the others start. */
  readonly canaryFirst: boolean
  /** Reverts within a time that halt all the rest; null: none do. */
  readonly breaker: { readonly reverts: number; readonly withinSeconds: number } | null
  readonly signals: readonly Signal[]
  /** Metric source of the signals; empty: there are none. */
  readonly signalSource: string
}

export interface Wave {
  readonly name: string
  /** Of equal criticality, the first starts first. */
  readonly members: readonly WaveMember[]
  /** Of this wave, on top of the migration's; null: any number. */
  readonly concurrency: number | null
}

export interface WaveMember {
  readonly workload: string
  /** Lower starts first. */
  readonly criticality: number
}

/** A migration-wide gate on a value of each cluster. */
export interface Signal {
  /** Unique in the migration, e.g. `nodeReadiness`. */
  readonly id: string
  readonly title: string
  /** PromQL of one sample a cluster, with the label that says which. */
  readonly query: string
  readonly clusterLabel: string
  /** What NEW must have: an absolute bound, or one over OLD's value: times it, plus so much. */
  readonly bound: Bound | { readonly timesOld: number; readonly plus: number }
  /** For sentences, e.g. `%`, `s`. */
  readonly unit: string
  /** Bad for so long before it halts, seconds. */
  readonly forSeconds: number
  /** Measures users' requests: not judged on NEW before a workload has traffic there, nor against an OLD without any. */
  readonly ofTraffic: boolean
}
