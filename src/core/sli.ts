/** How an SLI is measured. Workloads with an equal spec share its queries. */
export interface SliSpec {
  readonly name: string
  /** Kind of the metric source: `prometheus`, `scrape`, `loki`, … */
  readonly source: string
  /** Share of good events promised, percent, e.g. 99.9; null for a value. */
  readonly objectivePercent: number | null
  /** The labels that say whose a series is; without a workload label, empty, it is the cluster's as a whole. */
  readonly labels: { readonly cluster: string; readonly workload: string }
  readonly measure: SliMeasure
  /** Left out: the config itself says what it counts. */
  readonly origin?: SliOrigin
}

/** Where else an SLI was defined. */
export interface SliOrigin {
  /** `openslo`: its definition was taken over. `sloth`, `pyrra`: their recorded series of ratios is read. */
  readonly tool: 'openslo' | 'sloth' | 'pyrra'
  /** Which one it is, for people: an SLO and its file, or a series. */
  readonly of: string
}

export type SliMeasure =
  /** Counter selectors; Headgate writes the query. */
  | { readonly kind: 'selector'; readonly total: string; readonly bad: string }
  /** The same where the good ones are counted: what is not good is bad. */
  | { readonly kind: 'goodSelector'; readonly total: string; readonly good: string }
  /** Classic histogram: an event slower than the bound is bad. The bound must be one of the buckets. */
  | { readonly kind: 'histogram'; readonly metric: string; readonly slowerThanSeconds: number }
  /**
   * Native histogram: an event slower than the bound is bad. The bound is a power of two of seconds, since only those are
   * boundaries at every resolution.
   */
  | { readonly kind: 'nativeHistogram'; readonly metric: string; readonly slowerThanSeconds: number }
  /** Own PromQL for counts over `$window`, one sample a cluster and workload. */
  | { readonly kind: 'query'; readonly total: string; readonly bad: string; readonly windowSeconds: number }
  /** Own PromQL for a value (for a threshold gate), one sample a cluster and workload. */
  | { readonly kind: 'value'; readonly value: string; readonly windowSeconds: number }
  /**
   * Own queries in the source's own language for counts, one answer a cluster and workload. Over `windowSeconds`; null: over
   * each tick itself, so that nothing overlaps.
   */
  | { readonly kind: 'ask'; readonly total: string; readonly bad: string; readonly windowSeconds: number | null }
  /** As `ask`, for a value over `windowSeconds`. */
  | { readonly kind: 'askValue'; readonly value: string; readonly windowSeconds: number }
