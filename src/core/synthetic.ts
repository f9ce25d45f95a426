import type { Sides } from './plan.ts'

/** Tests that others run at each cluster by themselves: a result is judged as a round of a probe is. */
export interface SyntheticSpec {
  /** Unique among the workload's probes and synthetics. */
  readonly name: string
  /** Kind of the source that runs the tests and tells their results: `datadog`. */
  readonly source: string
  /** null: that side has no test. */
  readonly test: Sides<SyntheticTest | null>
}

export interface SyntheticTest {
  /** As the source calls it. */
  readonly id: string
  /** Where it must have run, as the source calls it; null: anywhere. */
  readonly location: string | null
}
