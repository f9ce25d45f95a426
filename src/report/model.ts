import type { Severity } from '../core/event.ts'
import type { Verdict } from '../core/gates/verdict.ts'
import type { Counts } from '../core/observation.ts'
import type { Sides } from '../core/plan.ts'
import type { HoldCause, PhaseName } from '../core/state.ts'
import type { JournalVerdict } from '../shared/journal-chain.ts'

/**
 * All that a report says, as plain JSON: `headgate report --format json`. Times are milliseconds since 1970. What is not
 * known is null, never 0.
 */
export interface Report {
  readonly kind: 'headgate-report/v1'
  readonly migration: string
  readonly clusters: Sides<string>
  readonly madeAtMs: number
  readonly span: Span
  /** null: nothing has started. */
  readonly bothRunning: BothRunning | null
  /** By SLI, over all workloads. */
  readonly served: readonly ServedInAll[]
  /** In the order of the migration. */
  readonly workloads: readonly WorkloadReport[]
  /** People and machines that had Headgate do something, in the order of their first word. */
  readonly actors: readonly Actor[]
  readonly timeline: readonly TimelineRow[]
  readonly journal: JournalVerdict
}

export interface Span {
  /** When the first workload left `waiting`; null: none has. */
  readonly startedAtMs: number | null
  /** When the last one came to its end; null: not all have. */
  readonly endedAtMs: number | null
}

/** From the first start until a person closed the last workload: so long OLD was still needed beside NEW. */
export interface BothRunning {
  readonly fromMs: number
  /** null: both still run. */
  readonly untilMs: number | null
  /** Until then, or until the report was made. */
  readonly seconds: number
  /** null: the config has no prices. */
  readonly cost: Cost | null
}

export interface Cost {
  readonly currency: string
  readonly old: number
  readonly new: number
}

export interface ServedInAll {
  readonly sli: string
  /** Sums over the workloads; null: of one that has started it is not known. */
  readonly counts: Sides<Counts> | null
  readonly attributedBad: number | null
  /** Workloads that have started, and of which a number is not known. */
  readonly unknown: readonly string[]
}

export interface WorkloadReport {
  readonly workload: string
  readonly runId: string
  /** The policy of the pinned plan; null: none is pinned yet. */
  readonly policy: string | null
  readonly planHash: string | null
  readonly phase: PhaseName
  /** Why it was reverted or cancelled; null: it was not. */
  readonly phaseReason: string | null
  /** Starts, from 1; a retry is another one. */
  readonly round: number
  readonly startedAtMs: number | null
  readonly endedAtMs: number | null
  readonly closed: { readonly atMs: number; readonly actor: string } | null
  readonly intendedWeightPercent: number
  /** null: never read back. */
  readonly confirmedWeightPercent: number | null
  readonly weights: readonly WeightChange[]
  readonly decisions: readonly Decision[]
  readonly holds: readonly HoldSpan[]
  readonly served: readonly Served[]
  readonly budget: readonly BudgetSpent[]
}

/** One weight, from its decision on. */
export interface WeightChange {
  readonly seq: number
  readonly atMs: number
  readonly fromPercent: number
  readonly toPercent: number
  readonly isRevert: boolean
  /** Says which requests go to NEW where no weight does; null: it is a weight. */
  readonly trial: string | null
  readonly actor: string
  readonly reason: string
  /** From the decision until every target read it back; null: not seen. */
  readonly confirmedAfterSeconds: number | null
  /** From the decision until it was in force; null: not seen. */
  readonly inForceAfterSeconds: number | null
  /** Of NEW, when it came in force; null: not measured. */
  readonly observedSharePercent: number | null
  /** Until the next decision; null: it is the newest. */
  readonly untilMs: number | null
}

/** What was decided, and what every gate said of it. */
export interface Decision {
  readonly seq: number
  readonly atMs: number
  readonly kind: 'raise' | 'trial' | 'halt' | 'revert' | 'revert refused'
  /** null: it was no change of weight. */
  readonly fromPercent: number | null
  readonly toPercent: number | null
  readonly actor: string
  readonly reason: string
  readonly verdicts: readonly Verdict[]
}

export interface HoldSpan {
  readonly cause: HoldCause
  /** As it was when the hold began. */
  readonly detail: string
  readonly actor: string
  readonly fromMs: number
  /** null: it still holds. */
  readonly untilMs: number | null
  /** Until then, or until the report was made. */
  readonly seconds: number
  /** null: it still holds. */
  readonly endedBecause: string | null
}

/** What both clusters served of one SLI, from the workload's start until a minute after its end. */
export interface Served {
  readonly sli: string
  /** Of the SLI, percent; null: not known. */
  readonly objectivePercent: number | null
  readonly counts: Sides<Counts> | null
  /** End of the newest tick that is in them. */
  readonly untilMs: number | null
  /** NEW's bad events beyond what OLD's rate of them would have had: max(0, e1 − (e0/n0)·n1). */
  readonly attributedBad: number | null
}

/** What the migration itself spent of an SLI's error budget of 30 days. */
export interface BudgetSpent {
  readonly gate: string
  readonly sli: string
  readonly spentPercent: number | null
  readonly spentBad: number | null
  readonly haltPercent: number
  readonly revertPercent: number
}

export interface Actor {
  readonly actor: string
  readonly deeds: readonly TimelineRow[]
}

export interface TimelineRow {
  readonly seq: number
  readonly atMs: number
  readonly workload: string | null
  readonly actor: string
  readonly severity: Severity
  readonly type: string
  readonly sentence: string
}
