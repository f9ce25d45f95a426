import type { CalendarReading } from './calendar.ts'
import type { CheckReading } from './check.ts'
import type { Verdict } from './gates/verdict.ts'
import type { Sides, Trial } from './plan.ts'
import type { ProblemJson } from './problem.ts'
import type { PhaseName } from './state.ts'
import type { TaskReading } from './task.ts'

/** Everything that one step may know of the world. What could not be learnt is `missing`, never zero. */
export interface Observation {
  /** Inbox facts for this workload, oldest first. Each is consumed by the step that sees it. */
  readonly facts: readonly WorkloadFact[]
  /** By target id. A target without an entry was not asked this time. */
  readonly targets: Readonly<Record<string, TargetReading>>
  /** What the writers reported since the last step. */
  readonly writes: readonly WriteReport[]
  /** By SLI name. An SLI without an entry was not asked this time. */
  readonly slis: Readonly<Record<string, SliReading>>
  /** By probe name. */
  readonly probes: Readonly<Record<string, ProbeReading>>
  /** Phases of the workloads named in `after`; null: no rollout of that name. */
  readonly dependencies: Readonly<Record<string, PhaseName | null>>
  /** null: the migration has no calendar. */
  readonly calendar: CalendarReading | null
  readonly fleet: FleetReading
  /** By check id. A check without an entry was not looked at yet. */
  readonly checks: Readonly<Record<string, CheckReading>>
  /** null: the plan names no objects, or nobody looked yet. */
  readonly replicas: Sides<ReplicasReading> | null
  /** By task key. */
  readonly tasks: Readonly<Record<string, TaskReading>>
}

/** What the migration as a whole has to say to one rollout. */
export interface FleetReading {
  /** Why it may not start yet, one clause; null: it may. */
  readonly waitsFor: string | null
  /** Verdicts on the migration: those that halt stop every rollout that is under way, those that are blind blind it. */
  readonly verdicts: readonly Verdict[]
}

/** What a workload's object has. */
export type ReplicasReading =
  | { readonly kind: 'replicas'; readonly ready: number; readonly wanted: number; readonly atMs: number }
  | Missing

export interface Missing {
  readonly kind: 'missing'
  readonly why:
    | 'timeout'
    | 'unreachable'
    | 'refused'
    | 'empty'
    | 'not-a-number'
    | 'stale'
    | 'bad-answer'
    | 'no-baseline'
  /** One clause for people, without secrets. */
  readonly detail: string
}

/** Makes a `Missing`. */
export function missing(why: Missing['why'], detail: string): Missing {
  return { kind: 'missing', why, detail }
}

/** True for a `Missing`. */
export function isMissing<T extends object>(value: T | Missing): value is Missing {
  return 'kind' in value && value.kind === 'missing'
}

export const COMMANDS = [
  'pause',
  'resume',
  'approve',
  'advance',
  'halt',
  'revert',
  'retry',
  'cancel',
  'close',
  'adopt',
] as const
export type CommandName = (typeof COMMANDS)[number]

/** Those that make sense to all workloads at once. */
export const COMMANDS_TO_ALL = [
  'pause',
  'resume',
  'halt',
  'revert',
  'close',
  'adopt',
] as const satisfies readonly CommandName[]

/** A thing that somebody said; it changes nothing until a step takes it in. */
export type Fact = WorkloadFact | UnmatchedAlert
export type WorkloadFact = Command | RoutedAlert

/** What a person wants of a workload. */
export interface Command {
  /** Chosen by the sender; the inbox keeps one of each. */
  readonly id: string
  readonly kind: 'command'
  readonly workload: string
  readonly command: CommandName
  readonly reason: string
  readonly actor: string
  readonly receivedAtMs: number
  /** Revert although OLD looks no better. */
  readonly force: boolean
  /** Approval roles that the sender has. */
  readonly roles: readonly string[]
}

/** An alert, as Alertmanager tells it. */
export interface Alert {
  /** Of its labels: the same alert has the same one each time it fires. */
  readonly fingerprint: string
  readonly startsAtMs: number
  /** Its name and what it says, one clause. */
  readonly sentence: string
}

/** An alert that began or ended, for a workload that a route names. */
export interface RoutedAlert {
  /** Of fingerprint, start and workload, so that a repeated notification counts once. */
  readonly id: string
  readonly kind: 'alert'
  readonly workload: string
  readonly alert: Alert
  /** `resolved` is only told where the route clears holds by it. */
  readonly status: 'firing' | 'resolved'
  readonly action: 'halt' | 'revert'
  /** The cluster that it is about; null: it names neither of the workload's. */
  readonly concerns: 'old' | 'new' | null
  readonly receivedAtMs: number
}

/** An alert that no route took. */
export interface UnmatchedAlert {
  readonly id: string
  readonly kind: 'unmatched-alert'
  readonly workload: null
  readonly alert: Alert
  readonly labels: Readonly<Record<string, string>>
  readonly reason: string
  readonly receivedAtMs: number
}

/** `atMs` is when the read began: an answer that began before the last confirmation says nothing new. */
export type TargetReading =
  | {
      readonly kind: 'weight'
      readonly atMs: number
      readonly weightPercent: number
      /** One clause: what the provider still has to do before it serves by that weight; left out: nothing. */
      readonly pending?: string
      /** DNS: how long resolvers keep an answer, seconds. */
      readonly ttlSeconds?: number
      /** The trial that is on; left out: none. */
      readonly trial?: Trial
      /** Who else writes there, and what to do about it, one sentence. */
      readonly otherWriter?: string
    }
  | (Missing & { readonly atMs: number })

export type WriteReport =
  | {
      readonly kind: 'applied'
      readonly targetId: string
      readonly weightPercent: number
      /** null: the TTL was left as it was. */
      readonly ttlSeconds: number | null
      readonly atMs: number
    }
  | {
      readonly kind: 'failed'
      readonly targetId: string
      readonly weightPercent: number
      readonly ttlSeconds: number | null
      readonly atMs: number
      /** Tries of this write so far. */
      readonly attempt: number
      readonly problem: ProblemJson
    }

/** Events counted over some time. `bad` ≤ `total`; both may be fractions where a source extrapolates. */
export interface Counts {
  readonly total: number
  readonly bad: number
}

export const NO_COUNTS: Counts = { total: 0, bad: 0 }

export function addCounts(a: Counts, b: Counts): Counts {
  return { total: a.total + b.total, bad: a.bad + b.bad }
}

/** The share of bad events; 0 where there are none at all. */
export function rateOf({ total, bad }: Counts): number {
  return total === 0 ? 0 : bad / total
}

export type SliReading = CountsReading | ValueReading | Missing

export interface CountsReading {
  readonly kind: 'counts'
  /** The tick covers (sinceMs, atMs]; ticks of one SLI do not overlap. */
  readonly sinceMs: number
  readonly atMs: number
  readonly tick: Sides<Counts | Missing>
  /** Sums over the last `seconds`, of no data older than the state's `judgeSinceMs`. */
  readonly windows: readonly WindowCounts[]
  /** The tick's latencies; null: the SLI has no buckets. */
  readonly latencies: Latencies | null
  /** How OLD's bad events come, from its history; null: too few of them to tell. */
  readonly dispersion: Dispersion | null
}

/** Events by latency. */
export interface Latencies {
  /** Bucket boundaries in seconds, rising, without +Inf. */
  readonly boundsSeconds: readonly number[]
  /** By boundary: events slower than it; null: no data of that cluster. */
  readonly slower: Sides<readonly number[] | null>
}

/** How much more bad events vary than if each came by itself. */
export interface Dispersion {
  /** φ ≥ 1: variance over mean. */
  readonly phi: number
  /** What it rests on. */
  readonly ticks: number
  readonly bad: number
}

export interface WindowCounts {
  readonly seconds: number
  readonly counts: Sides<Counts | Missing>
}

export interface ValueReading {
  readonly kind: 'value'
  readonly atMs: number
  readonly value: Sides<number | Missing>
}

export type ProbeOutcome =
  | { readonly kind: 'passed'; readonly seconds: number }
  | { readonly kind: 'failed'; readonly seconds: number; readonly why: string }

/** One round of a probe. A side that is not probed is null. */
export interface ProbeReading {
  readonly atMs: number
  readonly outcome: Sides<ProbeOutcome | Missing | null>
}
