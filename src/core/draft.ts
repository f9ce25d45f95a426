import type { Effect, TaskRequest } from './effect.ts'
import type { EventBody, HeadgateEvent } from './event.ts'
import type { Verdict } from './gates/verdict.ts'
import type { Observation } from './observation.ts'
import type { Plan } from './plan.ts'
import { type Hold, type HoldCause, isTerminal, type Phase, type RolloutState } from './state.ts'

/** The actor of everything that no person asked for. */
export const HEADGATE = 'headgate'

/** What one step works on: the state as it becomes, and what there is to tell and do. Lives for one call of `step`. */
export interface Draft {
  readonly plan: Plan
  readonly observation: Observation
  readonly nowMs: number
  /** How often steps are meant to come, seconds. */
  readonly sweepSeconds: number
  /** Observed time since the last step that nothing has counted yet, ms. */
  elapsedMs: number
  state: RolloutState
  /** What the gates said in this step; null: they were not judged yet. */
  verdicts: readonly Verdict[] | null
  readonly events: HeadgateEvent[]
  readonly effects: Effect[]
  readonly tasks: TaskRequest[]
}

export function change(draft: Draft, patch: Partial<RolloutState>): void {
  draft.state = { ...draft.state, ...patch }
}

/** Notes what every gate says now: the state keeps the outcomes, the rest goes beside it. */
export function note(draft: Draft, verdicts: readonly Verdict[]): void {
  draft.verdicts = verdicts
  change(draft, { outcomes: Object.fromEntries(verdicts.map(({ gate, outcome }) => [gate, outcome])) })
}

/** Takes the step's observed time, which may count towards one thing only. */
export function spendElapsed(draft: Draft): number {
  const { elapsedMs } = draft
  draft.elapsedMs = 0
  return elapsedMs
}

export function emit(draft: Draft, body: EventBody, actor: string = HEADGATE): void {
  const { runId, workload } = draft.state
  draft.events.push({ atMs: draft.nowMs, runId, workload, actor, ...body })
}

/** Moves to another phase. Only `core` has this. */
export function enter(draft: Draft, phase: Phase, reason: string, actor: string = HEADGATE): void {
  const from = draft.state.phase.name
  const stepIndex = phase.name === 'stepping' ? phase.stepIndex : null
  change(draft, { phase, phaseSinceMs: draft.nowMs })
  if (phase.name === 'reverting' || isTerminal(phase)) dropOpenTasks(draft)
  emit(draft, { type: 'phase-entered', from, to: phase.name, stepIndex, reason }, actor)
}

/** What is still being done belongs to a way that goes no further: nobody asks for its end. */
function dropOpenTasks(draft: Draft): void {
  const ended = Object.entries(draft.state.tasks).filter(([, { outcome }]) => outcome !== null)
  change(draft, { tasks: Object.fromEntries(ended) })
}

/** Adds a hold, or brings the detail of the one with this cause up to date without telling it again. */
export function hold(
  draft: Draft,
  cause: HoldCause,
  detail: string,
  evidence: readonly Verdict[] = [],
  actor: string = HEADGATE,
): void {
  const before = draft.state.holds.find((h) => h.cause === cause)
  const next: Hold = { cause, detail, sinceMs: before?.sinceMs ?? draft.nowMs, actor: before?.actor ?? actor }
  change(draft, { holds: [...draft.state.holds.filter((h) => h.cause !== cause), next] })
  if (!before) emit(draft, { type: 'hold-added', hold: next, evidence }, actor)
}

export function unhold(draft: Draft, cause: HoldCause, reason: string, actor: string = HEADGATE): void {
  const before = draft.state.holds.find((h) => h.cause === cause)
  if (!before) return
  change(draft, { holds: draft.state.holds.filter((h) => h.cause !== cause) })
  const heldSeconds = Math.max(0, (draft.nowMs - before.sinceMs) / 1000)
  emit(draft, { type: 'hold-removed', cause, reason, heldSeconds }, actor)
}

/** Ends every hold: the phase that comes has no use for them. */
export function dropHolds(draft: Draft, reason: string, actor: string = HEADGATE): void {
  for (const { cause } of draft.state.holds) unhold(draft, cause, reason, actor)
}
