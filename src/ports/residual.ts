import type { Missing } from '../core/observation.ts'
import type { Plan } from '../core/plan.ts'

/** What came to OLD within the drain time before now. */
export interface Residual {
  readonly seconds: number
  readonly untilMs: number
  readonly requests: number | Missing
  /** By label, its values with most requests first; empty: nobody came, or no label was named. */
  readonly by: readonly { readonly label: string; readonly values: readonly ResidualValue[] | Missing }[]
}

export interface ResidualValue {
  readonly value: string
  readonly requests: number
}

/** Asks the metric sources what still comes to OLD. */
export interface Residuals {
  /** By workload. Never rejects: what cannot be told is missing. */
  of(plans: readonly Plan[], signal: AbortSignal): Promise<ReadonlyMap<string, Residual>>
}
