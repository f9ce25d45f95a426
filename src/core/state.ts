import type { Stakes } from './gates/harm-test.ts'
import type { Proof } from './gates/proof-test.ts'
import type { Restarts } from './gates/restarts.ts'
import type { Outcome } from './gates/verdict.ts'
import type { Alert, Counts } from './observation.ts'
import type { Sides } from './plan.ts'
import type { TaskState } from './task.ts'

/** Where a rollout stands. Reasons not to go on are holds, never phases. */
export type Phase =
  | { readonly name: 'waiting' }
  | { readonly name: 'preflight' }
  | { readonly name: 'preparing' }
  | { readonly name: 'stepping'; readonly stepIndex: number }
  | { readonly name: 'baking' }
  | { readonly name: 'draining' }
  | { readonly name: 'completed' }
  | { readonly name: 'reverting'; readonly reason: string; readonly startedAtMs: number }
  | { readonly name: 'reverted'; readonly reason: string }
  | { readonly name: 'cancelled'; readonly reason: string }

export type PhaseName = Phase['name']

export const HOLD_CAUSES = [
  'paused',
  'halted',
  'alert',
  'blind',
  'window',
  'approval',
  'dependency',
  'capacity',
  'drift',
  'unknown-weight',
  'budget',
  'check',
  'hook',
] as const
export type HoldCause = (typeof HOLD_CAUSES)[number]

/** Whether a hold of this cause is a halt: evidence, an alert or a person stopped it. */
export function isHalt(cause: HoldCause): boolean {
  return cause === 'halted' || cause === 'alert'
}

/** A reason not to raise the weight. A rollout has at most one of each cause. */
export interface Hold {
  readonly cause: HoldCause
  /** One sentence with the numbers. */
  readonly detail: string
  readonly sinceMs: number
  /** A person's name, or `headgate`. */
  readonly actor: string
}

/** One workload's run through its plan: plain JSON, written whole at each commit. */
export interface RolloutState {
  readonly workload: string
  /** Names this migration run everywhere; a retry starts a new one. */
  readonly runId: string
  /** The pinned plan; null while waiting, when the config's own plan holds. */
  readonly planHash: string | null
  /** Rises with each new start after a revert or a cancel, from 1. */
  readonly round: number
  /** When it left `waiting`; null: not yet. */
  readonly startedAtMs: number | null
  readonly phase: Phase
  readonly phaseSinceMs: number
  readonly holds: readonly Hold[]

  /** What the targets are meant to have, percent. */
  readonly intendedWeightPercent: number
  readonly intendedAtMs: number
  /** What every target was last read back to have; null: never yet. */
  readonly confirmedWeightPercent: number | null
  readonly confirmedAtMs: number | null
  /** Weights intended since the last confirmation: a late write may still bring them, so they are no drift. */
  readonly unconfirmedPercents: readonly number[]
  /** DNS: by target, the TTL that it had before Headgate lowered it, seconds. Empty: none is lowered. */
  readonly ttlsBefore: Readonly<Record<string, number>>
  /** Observed time since every lowered TTL was read back, ms; null: they have not been. */
  readonly ttlWaitedMs: number | null
  /** How long resolvers keep the answers that they get now, seconds; 0: no target is a name. */
  readonly ttlSeconds: number
  /** Observed time since the confirmation, until it reaches the targets' settle time, ms. */
  readonly settledMs: number
  /** When the weight came in force: confirmed, settled, and seen in the observed share. */
  readonly inForceAtMs: number | null
  /** Observed time in force, without gaps of the clock or of data, ms; of one that is reverted: for how long it was watched since. */
  readonly heldMs: number
  /** Nobody has looked for a while, and the targets have not read since then what they are meant to have. */
  readonly isUnwatched: boolean
  /** The newest `now` that a step saw. */
  readonly lastStepMs: number

  /** Evidence older than this is not judged: set by a person's resume. */
  readonly judgeSinceMs: number
  /** By SLI name: what was counted since the weight came in force. */
  readonly evidence: Readonly<Record<string, SliEvidence>>
  /** Requests since the write settled, for the observed share. */
  readonly share: ShareEvidence
  /** By probe name. */
  readonly probes: Readonly<Record<string, ProbeEvidence>>
  /** By gate: the tests that go on over all weights, until a person resumes. */
  readonly tests: Readonly<Record<string, TestState>>
  /** By gate: the proof gathered at this weight, from the ticks that `evidence` counts. */
  readonly proofs: Readonly<Record<string, Proof>>
  /** By gate: what it said last at this weight. Its numbers and words are not stored: a step gives them beside the state. */
  readonly outcomes: Readonly<Record<string, Outcome>>
  /** The step that a person approved; null: none. */
  readonly approved: { readonly stepIndex: number; readonly atMs: number; readonly actor: string } | null
  /** A person's `advance`: the index of the step that needs no more proof. */
  readonly advancedStepIndex: number | null
  /** Since when data is missing; null: nothing is. */
  readonly blindSinceMs: number | null
  /** By point, step and hook: what was asked for in this round. */
  readonly tasks: Readonly<Record<string, TaskState>>
  /** The checks in trouble, as they were last told. */
  readonly checks: Readonly<Record<string, 'fail' | 'missing'>>
  /** OLD's replicas when all traffic was there; null: not seen. */
  readonly fullReplicas: number | null
  /** By SLI name: all that was counted since the first step, whatever the weight. */
  readonly totals: Readonly<Record<string, SliEvidence>>
  /** It has ended, and the totals are whole. */
  readonly isCounted: boolean
  /** What still comes to OLD; null: it is not drained yet. */
  readonly drain: DrainState | null
  /** A revert that a person wants, and that waits until OLD is scaled up; null: none does. */
  readonly askedRevert: { readonly reason: string; readonly actor: string } | null
  /** Alerts that hold it, while it has a hold of the cause `alert`. */
  readonly alerts: readonly Alert[]
  /** A person has closed it: no way back, nothing left to do. */
  readonly closed: { readonly atMs: number; readonly actor: string } | null
  /** What was already told, so that it is told once. */
  readonly told: { readonly blind: boolean; readonly stuck: boolean; readonly asked: boolean }
}

/** What its ticks add up to: of a rollout under way nearly all of its state, and anew at each step. */
export type Tally = Pick<RolloutState, 'evidence' | 'share' | 'tests' | 'proofs' | 'totals'>

/** Where a rollout stands, beside what its ticks add up to. */
export type Standing = Omit<RolloutState, keyof Tally>

/** Tells the two apart. */
export function partsOf(state: RolloutState): { readonly standing: Standing; readonly tally: Tally } {
  const { evidence, share, tests, proofs, totals, ...standing } = state
  return { standing, tally: { evidence, share, tests, proofs, totals } }
}

export interface DrainState {
  /** Observed quiet time, ms. */
  readonly quietMs: number
  /** The end of the newest tick taken in. */
  readonly untilMs: number
  /** Requests at OLD since the quiet time began. */
  readonly requests: number
  /** The end of the last tick that saw one; null: none since draining began. */
  readonly lastRequestAtMs: number | null
}

export interface SliEvidence {
  /** The end of the newest tick taken in. */
  readonly untilMs: number
  readonly counts: Sides<Counts>
}

export type TestState = HarmState | LatencyState | BudgetState

export interface HarmState {
  readonly kind: 'harm'
  readonly untilMs: number
  readonly restarts: Restarts
  /** As it was when the stage began. */
  readonly phi: number
  readonly revert: Stakes
  readonly halt: Stakes
  readonly absolute: Stakes
  /** The evidence of each test: its stakes put together. */
  readonly against: { readonly revert: number; readonly halt: number; readonly absolute: number }
  /** What both clusters served since the evidence began to speak against NEW. */
  readonly run: Sides<Counts>
}

export interface LatencyState {
  readonly kind: 'latency'
  readonly untilMs: number
  readonly restarts: Restarts
  readonly phi: number
  readonly boundsSeconds: readonly number[]
  /** By boundary; empty: one that was never looked at, with all that is staked on it still in hand. */
  readonly stakes: readonly Stakes[]
  /** The evidence of all boundaries together. */
  readonly against: number
  /** OLD since the first tick, NEW since the stage began. */
  readonly seen: Sides<SlowerCounts>
}

export interface SlowerCounts {
  readonly total: number
  /** By boundary. */
  readonly slower: readonly number[]
}

export interface BudgetState {
  readonly kind: 'budget'
  readonly untilMs: number
  readonly stage: number
  /** Bad events on NEW beyond what OLD would have had, in the stages before. */
  readonly spentBefore: number
  /** What NEW served in this stage. */
  readonly counts: Counts
  /** Of these, what OLD would have failed as well. */
  readonly expectedBad: number
  /** OLD's rate of bad events when it was last seen; null: never. */
  readonly oldRate: number | null
  /** What both served since the first tick, and in how long: the traffic of 30 days is reckoned from it. */
  readonly requests: number
  readonly seconds: number
}

export interface ShareEvidence {
  /** When the settle time was over; null: not yet. */
  readonly settledAtMs: number | null
  readonly untilMs: number
  readonly requests: Sides<number>
  /** The last judged share; null: not judged yet. */
  readonly lastPercent: number | null
}

export interface ProbeEvidence {
  readonly untilMs: number
  /** In a row, on NEW. */
  readonly passes: number
  readonly failures: number
  /** In a row, on OLD; null: OLD is not probed. */
  readonly oldFailures: number | null
  readonly lastWhy: string | null
}

/** Phases in which no weight is ever written and no gate is judged. */
export function isTerminal(phase: Phase): boolean {
  return phase.name === 'completed' || phase.name === 'reverted' || phase.name === 'cancelled'
}

/** Phases in which each step judges the gates. */
export function judgesGates({ name }: Phase): boolean {
  return name === 'stepping' || name === 'baking'
}

/** A write that nobody waits for any more may still be carried out for so long, ms (ADR 22). */
export const LATE_WRITE_MS = 120_000

/** Whether a revert that is over may be overtaken by a raise from before it, or was: until it was watched for so long. */
export function mayBeOvertaken({ phase, heldMs, unconfirmedPercents }: Standing): boolean {
  return phase.name === 'reverted' && (unconfirmedPercents.length > 0 || heldMs < LATE_WRITE_MS)
}

/** True when nothing of it is to be read, written or run any more. */
export function isAtRest(state: Standing): boolean {
  const { phase, ttlsBefore, tasks, askedRevert, startedAtMs, isCounted } = state
  const isUncounted = startedAtMs !== null && !isCounted
  if (isUncounted || askedRevert !== null || mayBeOvertaken(state)) return false
  if (phase.name === 'cancelled') return true
  const isBusy = Object.values(tasks).some(({ outcome }) => outcome === null)
  return isTerminal(phase) && Object.keys(ttlsBefore).length === 0 && !isBusy
}

/** Phases in which a dependency counts as done: its traffic moved and baked. */
export function hasBaked(phase: PhaseName): boolean {
  return phase === 'draining' || phase === 'completed'
}

/** Whether anything but these holds it. */
export function hasOtherHold(state: Standing, causes: readonly HoldCause[]): boolean {
  return state.holds.some(({ cause }) => !causes.includes(cause))
}

export function hasHold(state: Standing, cause: HoldCause): boolean {
  return state.holds.some((hold) => hold.cause === cause)
}
