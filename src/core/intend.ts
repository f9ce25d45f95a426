import { change, type Draft, dropHolds, emit, enter, HEADGATE, note } from './draft.ts'
import type { Urgency } from './effect.ts'
import { formatPercent } from './format.ts'
import { foundOn, isUnwritten } from './found.ts'
import type { Verdict } from './gates/verdict.ts'
import { freshEvidence } from './initial.ts'
import { pinPlan } from './pin.ts'
import type { Trial } from './plan.ts'
import { sameWeight } from './weights.ts'

export interface Intent {
  readonly weightPercent: number
  readonly trial?: Trial | null
  readonly urgency: Urgency
  readonly reason: string
  readonly evidence: readonly Verdict[]
  readonly actor?: string
}

/** Makes another weight the intended one. All evidence starts anew: none of it was gathered at that weight. */
export function intend(draft: Draft, intent: Intent): void {
  const { weightPercent, trial = null, urgency, reason, evidence, actor = HEADGATE } = intent
  const fromPercent = draft.state.intendedWeightPercent
  change(draft, {
    intendedWeightPercent: weightPercent,
    intendedAtMs: draft.nowMs,
    unconfirmedPercents: [...draft.state.unconfirmedPercents, weightPercent],
    ...freshEvidence(),
  })
  note(draft, [])
  emit(
    draft,
    { type: 'weight-intended', fromPercent, toPercent: weightPercent, trial, urgency, reason, evidence },
    actor,
  )
}

/** Writes the intended weight again over one that somebody else wrote; that one is no drift until this is confirmed. */
export function reassert(
  draft: Draft,
  foreignPercents: readonly number[],
  reason: string,
  actor: string = HEADGATE,
): void {
  const { intendedWeightPercent, unconfirmedPercents } = draft.state
  change(draft, {
    intendedAtMs: draft.nowMs,
    unconfirmedPercents: [...unconfirmedPercents, ...foreignPercents, intendedWeightPercent],
    ...freshEvidence(),
  })
  note(draft, [])
  emit(
    draft,
    { type: 'weight-reasserted', foundPercents: foreignPercents, weightPercent: intendedWeightPercent, reason },
    actor,
  )
}

/** Brings the traffic back. What the gates said when it was decided stays in view. */
export function startRevert(
  draft: Draft,
  reason: string,
  evidence: readonly Verdict[],
  actor: string = HEADGATE,
): void {
  const { plan, state, nowMs } = draft
  const toPercent = plan.safeWeightPercent
  // Weights that were there before the rollout wrote any are no drift either: they are what is brought back.
  const found = isUnwritten(state) ? foundOn(draft).map(({ weightPercent }) => weightPercent) : []
  const fromPercent = Math.max(state.intendedWeightPercent, ...found)
  pinPlan(draft)
  emit(draft, { type: 'revert-started', fromPercent, toPercent, reason, evidence }, actor)
  dropHolds(draft, 'nothing holds a revert', actor)
  enter(draft, { name: 'reverting', reason, startedAtMs: nowMs }, 'a revert brings the traffic back', actor)
  const verdicts = draft.verdicts ?? evidence
  const { outcomes } = draft.state
  // A late revert is counted as well.
  change(draft, { askedRevert: null, isCounted: false, intendedWeightPercent: fromPercent })
  if (found.length > 0) change(draft, { unconfirmedPercents: found })
  intend(draft, { weightPercent: toPercent, urgency: 'revert', reason: 'revert', evidence: [], actor })
  draft.verdicts = verdicts
  change(draft, { outcomes, blindSinceMs: null })
}

/** Ends a revert once every target reads the safe weight. */
export function finishRevert(draft: Draft): void {
  const { state, nowMs } = draft
  const { phase, confirmedWeightPercent, intendedWeightPercent, unconfirmedPercents } = state
  if (phase.name !== 'reverting' || confirmedWeightPercent === null || unconfirmedPercents.length > 0) return
  if (!sameWeight(confirmedWeightPercent, intendedWeightPercent)) return
  const secondsSinceStarted = Math.max(0, (nowMs - phase.startedAtMs) / 1000)
  emit(draft, { type: 'revert-confirmed', weightPercent: intendedWeightPercent, secondsSinceStarted })
  enter(draft, { name: 'reverted', reason: phase.reason }, `every target reads ${formatPercent(intendedWeightPercent)}`)
}
