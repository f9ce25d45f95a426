import type { HoldCause } from './state.ts'

/** What one look of a check came to. */
export interface CheckReading {
  /** `skipped`: it does not apply, or nothing is configured to look with. `missing`: it could not be looked at. */
  readonly outcome: 'pass' | 'fail' | 'skipped' | 'missing'
  /** What was found, with the numbers; for `skipped` and `missing`, why. */
  readonly sentence: string
  /** What to do about a failure; null: nothing failed. */
  readonly hint: string | null
  readonly atMs: number
}

interface CheckRule {
  readonly title: string
  /** `start`: looked at before the first step alone. `always`: until the workload has baked. */
  readonly during: 'start' | 'always'
  /** The hold that a failure is. */
  readonly cause: HoldCause
  /** Unless the policy says otherwise. */
  readonly usually: CheckThen
}

/** What a failed check does: hold, or be told alone. */
export type CheckThen = 'hold' | 'tell'

/** All checks of a workload before, and some of them while, its traffic moves. All of them only read. */
export const CHECKS = {
  objects: check('The workload exists in NEW and is ready', 'start'),
  parity: check('Images and config in NEW are those of OLD', 'always'),
  apis: check('NEW serves the API versions that the workload needs', 'start'),
  deprecated: check('Nothing asks NEW for deprecated APIs', 'start', 'tell'),
  disruption: check('Pod disruption budgets of OLD are there in NEW', 'start', 'tell'),
  certificate: check('The ingress of NEW has a certificate for the name', 'start'),
  ingress: check('The ingress of NEW answers', 'start'),
  telemetry: check('Every SLI has series of NEW', 'start', 'tell'),
  stateful: check('State in volumes has a plan of its own', 'start'),
  replication: check('Replicas of the data are close behind', 'always'),
  ttls: check('TTLs are short enough to move traffic', 'start', 'tell'),
  permissions: check('Headgate may do what the plan needs', 'start'),
  errorBudget: { ...check('Enough of the error budget is left', 'start'), cause: 'budget' },
  clock: check('The clocks agree', 'start'),
} as const satisfies Record<string, CheckRule>

export type CheckId = keyof typeof CHECKS

export const CHECK_IDS = Object.keys(CHECKS) as readonly CheckId[]

/** A check that a plan wants. */
export interface PlanCheck {
  readonly id: CheckId
  readonly then: CheckThen
}

/** What the checks of a plan go by. */
export interface CheckRules {
  /** A certificate of NEW's ingress with fewer days left fails. */
  readonly certificateDays: number
  /** How far apart clocks may be, seconds. */
  readonly clockSeconds: number
  /** The longest TTL that a name may keep while its traffic moves, seconds. */
  readonly ttlSeconds: number
  /** What must be left of the error budget of 30 days, percent. */
  readonly errorBudgetPercent: number
  /** ConfigMaps that are meant to differ between the clusters. */
  readonly mayDiffer: readonly string[]
  /** How the state in volumes is moved, in a person's words; null: nobody said so. */
  readonly stateful: string | null
  /** PromQL for how far the data of NEW is behind, and the most that is close enough; null: nothing is replicated. */
  readonly replication: { readonly query: string; readonly max: number } | null
}

function check(title: string, during: CheckRule['during'], usually: CheckThen = 'hold') {
  return { title, during, cause: 'check' as const, usually }
}
