import type { Draft } from './draft.ts'
import type { PlanTarget } from './plan.ts'
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

/** True when every target reads what it is meant to have, in readings that are current. */
export function readsAsWanted(draft: Draft): boolean {
  return currentReadings(draft).every(
    ({ target, reading }) =>
      reading?.kind === 'weight' && sameWeight(reading.weightPercent, wantedPercent(draft, target)),
  )
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
    if (reading?.kind !== 'weight' || isOurs(draft, target, reading.weightPercent)) return []
    const { weightPercent, otherWriter = null } = reading
    return [{ target, weightPercent, otherWriter }]
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
