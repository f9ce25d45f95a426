import { takeAlert } from './alerts.ts'
import { followAskedRevert } from './asked-revert.ts'
import { takeCommand } from './commands.ts'
import { change, type Draft, emit } from './draft.ts'
import type { Effect, TaskRequest } from './effect.ts'
import type { HeadgateEvent } from './event.ts'
import type { Verdict } from './gates/verdict.ts'
import { freshEvidence } from './initial.ts'
import type { Observation, TargetReading, WriteReport } from './observation.ts'
import { PHASES } from './phases.ts'
import type { Plan, PlanTarget } from './plan.ts'
import { heardUntilMs } from './replay.ts'
import { settleTasks } from './run-tasks.ts'
import { hasHold, isAtRest, isTerminal, LATE_WRITE_MS, type RolloutState } from './state.ts'
import { currentReadings, hasAsWanted, isOnItsWay, wantedPercent, wantedTrial } from './targets.ts'
import { countTotals } from './totals.ts'
import { followTtl, wantedTtl } from './ttl.ts'

export interface StepInput {
  readonly state: RolloutState
  /** The pinned plan, or the config's while the rollout waits. */
  readonly plan: Plan
  readonly observation: Observation
  readonly nowMs: number
  /** How often steps are meant to come, seconds: a longer silence is a gap, which counts towards nothing. */
  readonly sweepSeconds: number
}

export interface StepResult {
  readonly state: RolloutState
  /** What the gates said in this step; null: they were not judged. */
  readonly verdicts: readonly Verdict[] | null
  /** In order; to be done only after the state was committed. */
  readonly effects: readonly Effect[]
  /** As the effects: to be begun after the commit, and asked for again until their end is observed. */
  readonly tasks: readonly TaskRequest[]
  readonly events: readonly HeadgateEvent[]
}

/** Sweeps that may fail to come before the time between counts as unobserved. */
const GAP_SWEEPS = 3
/** Whoever was away for so long does not insist on a revert that was over before, ms. */
const LONG_ABSENCE_MS = 600_000

/**
 * Thinks once about one rollout: state and observation in; state, effects and events out. Pure and deterministic: no
 * clock, no chance, no I/O. The only owner of a phase change.
 */
export function step(input: StepInput): StepResult {
  const { state, plan, observation, nowMs, sweepSeconds } = input
  const draft: Draft = {
    plan,
    observation,
    nowMs,
    sweepSeconds,
    elapsedMs: observedMs(input),
    state,
    verdicts: null,
    events: [],
    effects: [],
    tasks: [],
  }
  followClock(draft, input)
  for (const report of observation.writes) tellWrite(draft, report)
  for (const fact of observation.facts) {
    if (fact.kind === 'command') takeCommand(draft, fact)
    else takeAlert(draft, fact)
  }
  settleTasks(draft)
  countTotals(draft)
  followTtl(draft)
  followAskedRevert(draft)
  runPhases(draft)
  demandWeights(draft)
  const { effects, tasks, events } = draft
  return { state: draft.state, verdicts: draft.verdicts, effects, tasks, events }
}

function observedMs({ state, nowMs, sweepSeconds }: StepInput): number {
  const gapMs = nowMs - state.lastStepMs
  return gapMs < 0 || gapMs > GAP_SWEEPS * sweepSeconds * 1000 ? 0 : gapMs
}

/** After a jump backwards, what was earned is earned again; a gap forwards counts towards nothing. */
function followClock(draft: Draft, { state, nowMs, sweepSeconds }: StepInput): void {
  const gapMs = nowMs - state.lastStepMs
  change(draft, { lastStepMs: nowMs })
  if (gapMs < 0) earnAgain(draft)
  // What is found then is somebody's of now, and no late write.
  if (gapMs > LONG_ABSENCE_MS && state.phase.name === 'reverted') change(draft, { heldMs: LATE_WRITE_MS })
  if (isTerminal(state.phase) || state.phase.name === 'waiting') return
  if (gapMs > GAP_SWEEPS * sweepSeconds * 1000) change(draft, { isUnwatched: true })
  if (gapMs < 0 || gapMs > GAP_SWEEPS * sweepSeconds * 1000) emit(draft, { type: 'clock-gap', seconds: gapMs / 1000 })
}

/**
 * No time that a reading is compared with may lie in the future, or nothing would ever count again; but for that from which on
 * ticks prove something, which lies no further in it than what was read already.
 */
function earnAgain(draft: Draft): void {
  const { state, nowMs } = draft
  const upToNow = (ms: number) => Math.min(ms, nowMs)
  change(draft, {
    heldMs: 0,
    evidence: {},
    proofs: {},
    probes: {},
    tests: Object.fromEntries(
      Object.entries(state.tests).map(([id, test]) => [id, { ...test, untilMs: upToNow(test.untilMs) }]),
    ),
    judgeSinceMs: upToNow(state.judgeSinceMs),
    phaseSinceMs: upToNow(state.phaseSinceMs),
    intendedAtMs: upToNow(state.intendedAtMs),
    confirmedAtMs: state.confirmedAtMs === null ? null : upToNow(state.confirmedAtMs),
  })
  if (state.inForceAtMs !== null) change(draft, { inForceAtMs: Math.max(nowMs, heardUntilMs(state)) })
  else change(draft, { settledMs: 0, share: freshEvidence().share })
}

/** Failures are told at the first try and whenever their number has doubled, so that a long outage stays readable. */
function tellWrite(draft: Draft, report: WriteReport): void {
  const { targetId, weightPercent, ttlSeconds } = report
  if (report.kind === 'applied') {
    const secondsSinceIntended = Math.max(0, (report.atMs - draft.state.intendedAtMs) / 1000)
    const applied = { targetId, weightPercent, ttlSeconds, appliedAtMs: report.atMs, secondsSinceIntended }
    emit(draft, { type: 'weight-applied', ...applied })
  } else if (Number.isInteger(Math.log2(report.attempt)) || report.attempt === 5) {
    emit(draft, { type: 'write-failed', targetId, weightPercent, attempt: report.attempt, problem: report.problem })
  }
}

/** A phase that was left hands over to the next in the same step; a phase is never entered twice. */
function runPhases(draft: Draft): void {
  let before: RolloutState['phase']
  do {
    before = draft.state.phase
    PHASES[before.name](draft)
  } while (draft.state.phase.name !== before.name)
}

/**
 * Asks for what each target is meant to have, wherever that is not read back: weights until they are confirmed, a raise
 * only while nothing holds it; TTLs before the first raise, and after the last write.
 */
function demandWeights(draft: Draft): void {
  const { state, effects } = draft
  const { name } = state.phase
  if (isAtRest(state) || name === 'waiting') return
  const isBack = name === 'reverting' || (name === 'reverted' && state.unconfirmedPercents.length > 0)
  const urgency = isBack ? 'revert' : 'forward'
  for (const { target, reading } of currentReadings(draft)) {
    const weightPercent = wantedPercent(draft, target)
    const ttlSeconds = wantedTtl(draft, target)
    const trial = wantedTrial(draft, target)
    const isThere = hasAsWanted(draft, target, reading)
    if (isThere ? ttlSeconds !== null && isFree(state) : isDemanded(draft, target, reading))
      effects.push({ kind: 'setWeight', targetId: target.id, weightPercent, ttlSeconds, trial, urgency })
  }
}

/** Whether a weight that is not read back is to be written now. */
function isDemanded(draft: Draft, target: PlanTarget, reading: TargetReading | null): boolean {
  const { state } = draft
  if (!isOnItsWay(draft, target)) return false
  if (isTerminal(state.phase)) return state.phase.name === 'reverted'
  const isAbove = reading?.kind === 'weight' && reading.weightPercent > wantedPercent(draft, target)
  // What is held on drift is somebody else's until a person says otherwise.
  const isLowered = isAbove && !hasHold(state, 'drift')
  return state.phase.name === 'reverting' || isLowered || isFree(state)
}

/** Nothing holds it, or it has ended and only tidies up. */
function isFree({ holds, phase }: RolloutState): boolean {
  return holds.length === 0 || isTerminal(phase)
}
