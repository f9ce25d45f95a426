import type { Draft } from './draft.ts'
import type { TargetReading } from './observation.ts'
import type { PlanTarget, Trial } from './plan.ts'
import type { Phase } from './state.ts'
import { includesWeight, sameWeight } from './weights.ts'

/** A boomerang serves what reaches NEW there, and sends it back to OLD once the rollout reverts. */
const BOOMERANG_PERCENT = { forth: 100, back: 0 } as const

/** What this target is meant to have now, percent. */
export function wantedPercent({ state }: Pick<Draft, 'state'>, { role }: PlanTarget): number {
  if (role === 'split') return state.intendedWeightPercent
  return sendsBack(state.phase) ? BOOMERANG_PERCENT.back : BOOMERANG_PERCENT.forth
}

function sendsBack({ name }: Phase): boolean {
  return name === 'reverting' || name === 'reverted'
}

/**
 * Whether what the target reads may differ from what it is meant to have without anybody else's doing. A boomerang that
 * has come back stays so until the next start, which throws it again.
 */
export function isOnItsWay({ state }: Pick<Draft, 'state'>, { role }: PlanTarget): boolean {
  return state.unconfirmedPercents.length > 0 || (role === 'boomerang' && state.phase.name === 'preflight')
}

/** Readings that began before the newest intent or confirmation are old news. */
export function currentReadings(draft: Draft) {
  const { plan, state, observation } = draft
  const newestMs = Math.max(state.intendedAtMs, state.confirmedAtMs ?? 0)
  return plan.targets.map((target) => {
    const reading = observation.targets[target.id]
    return { target, reading: reading && reading.atMs >= newestMs ? reading : null }
  })
}

/** The trial of the step that the rollout is in; null: it is in none, or the step has a weight. */
export function trialOf({ plan, state: { phase } }: Pick<Draft, 'plan' | 'state'>): Trial | null {
  return phase.name === 'stepping' ? (plan.steps[phase.stepIndex]?.trial ?? null) : null
}

/** The trial that this target is meant to have on now; null: none. */
export function wantedTrial(draft: Pick<Draft, 'plan' | 'state'>, { role }: PlanTarget): Trial | null {
  return role === 'split' ? trialOf(draft) : null
}

/** True when the target has the weight and the trial that it is meant to have. */
export function hasAsWanted(draft: Draft, target: PlanTarget, reading: TargetReading | null): boolean {
  if (reading?.kind !== 'weight' || !sameWeight(reading.weightPercent, wantedPercent(draft, target))) return false
  return sameTrial(reading.trial ?? null, wantedTrial(draft, target))
}

export function sameTrial(a: Trial | null, b: Trial | null): boolean {
  if (a?.kind === 'mirror' && b?.kind === 'mirror') return sameWeight(a.percent, b.percent)
  return a?.kind === b?.kind
}

/** True when every target reads what it is meant to have, in readings that are current. */
export function readsAsWanted(draft: Draft): boolean {
  return currentReadings(draft).every(({ target, reading }) => hasAsWanted(draft, target, reading))
}

/** A target that somebody else has moved. */
export interface Drifted {
  readonly target: PlanTarget
  readonly weightPercent: number
  /** Who else writes there, and what to do about it; null: nobody that the provider can name. */
  readonly otherWriter: string | null
}

/**
 * Targets that somebody else has moved: neither the last nor an intended weight. Until the intended one is confirmed,
 * one between those is no drift: a write of several commands that a crash cut short stands there, and is made again.
 */
export function driftedTargets(draft: Draft): readonly Drifted[] {
  return currentReadings(draft).flatMap(({ target, reading }) => {
    if (reading?.kind !== 'weight') return []
    const { weightPercent, otherWriter = null } = reading
    const isOther = !isOurs(draft, target, weightPercent)
    // A trial that somebody ended, or began, is foreign too once ours was read back.
    const hasOtherTrial = !isOnItsWay(draft, target) && !hasAsWanted(draft, target, reading)
    return isOther || hasOtherTrial ? [{ target, weightPercent, otherWriter }] : []
  })
}

/** Targets that send more to NEW than they are meant to, or have a trial that is not wanted. */
export function raisedTargets(draft: Draft): readonly Drifted[] {
  return currentReadings(draft).flatMap(({ target, reading }) => {
    if (reading?.kind !== 'weight' || hasAsWanted(draft, target, reading)) return []
    const { weightPercent, otherWriter = null } = reading
    const wanted = wantedPercent(draft, target)
    // The right weight, but not as it is wanted: a trial is on.
    const isRaised = weightPercent > wanted || sameWeight(weightPercent, wanted)
    return isRaised ? [{ target, weightPercent, otherWriter }] : []
  })
}

function isOurs(draft: Draft, target: PlanTarget, percent: number): boolean {
  const known = knownPercents(draft, target)
  return includesWeight(known, percent) || (percent > Math.min(...known) && percent < Math.max(...known))
}

function knownPercents(draft: Draft, target: PlanTarget): readonly number[] {
  const { intendedWeightPercent, unconfirmedPercents, confirmedWeightPercent } = draft.state
  if (target.role === 'boomerang')
    return isOnItsWay(draft, target) ? Object.values(BOOMERANG_PERCENT) : [wantedPercent(draft, target)]
  const confirmed = confirmedWeightPercent === null ? [] : [confirmedWeightPercent]
  return [intendedWeightPercent, ...unconfirmedPercents, ...confirmed]
}
