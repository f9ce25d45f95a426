import type { Draft } from './draft.ts'
import { formatPercent } from './format.ts'
import type { Plan, PlanTarget, Trial } from './plan.ts'
import { hasHold, type RolloutState } from './state.ts'
import { stepLabel } from './step-label.ts'
import { currentReadings, sameTrial } from './targets.ts'
import { sameWeight } from './weights.ts'

/** What a target has before this rollout ever wrote to it. */
export interface Found {
  readonly target: PlanTarget
  readonly weightPercent: number
  readonly trial: Trial | null
  /** Who else writes there; null: nobody that the provider can name. */
  readonly otherWriter: string | null
}

/**
 * True for a rollout that has not begun, and never saw a weight that it knows. What the targets have then is nobody's
 * drift: the store may have lost who wrote it, or a person has begun the migration by hand.
 */
export function isUnwritten({ phase, confirmedWeightPercent, unconfirmedPercents }: RolloutState): boolean {
  const isBefore = phase.name === 'waiting' || phase.name === 'preflight'
  return isBefore && confirmedWeightPercent === null && unconfirmedPercents.length === 0
}

/** The weights of those targets that could be read. A boomerang moves nobody by itself. */
export function foundOn(draft: Draft): readonly Found[] {
  return currentReadings(draft).flatMap(({ target, reading }) => {
    if (target.role !== 'split' || reading?.kind !== 'weight') return []
    const { weightPercent, trial = null, otherWriter = null } = reading
    return [{ target, weightPercent, trial, otherWriter }]
  })
}

/** Those that have what no rollout that starts now expects. */
export function unknownOf(draft: Draft): readonly Found[] {
  const { intendedWeightPercent } = draft.state
  return foundOn(draft).filter(
    ({ weightPercent, trial }) => trial !== null || !sameWeight(weightPercent, intendedWeightPercent),
  )
}

/** Whether NEW has traffic, or a trial, that a revert would bring back although this rollout never sent it there. */
export function hasFoundTraffic(draft: Draft): boolean {
  if (!isUnwritten(draft.state)) return false
  const found = foundOn(draft)
  const safe = draft.plan.safeWeightPercent
  // Nobody can see it now, but it was seen.
  if (found.length === 0) return hasHold(draft.state, 'unknown-weight')
  return found.some(({ weightPercent, trial }) => weightPercent > safe + 0.05 || trial !== null)
}

/** What the targets have, a clause each. */
export function foundInWords(found: readonly Found[]): string {
  return found
    .map(({ target, weightPercent, trial }) => {
      const extra = trial === null ? '' : trial.kind === 'marked' ? ' and marked requests' : ' and copies of requests'
      return `${target.id} reads ${formatPercent(weightPercent)}${extra}`
    })
    .join(', ')
}

/** Where a rollout goes on whose weight was found there: a step by its index, or the bake at 100 %. */
export type Place =
  | { readonly kind: 'step'; readonly stepIndex: number; readonly weightPercent: number }
  | { readonly kind: 'bake'; readonly weightPercent: number }
  /** `sentence`: one clause. */
  | { readonly kind: 'none'; readonly sentence: string; readonly hint: string }

const LEVEL = 'bring all targets to one weight by hand, then adopt that; or revert'

/** Where the rollout may go on with what its targets have. Nothing is written for it, so all must agree. */
export function placeOf(draft: Draft): Place {
  const { plan } = draft
  const found = foundOn(draft)
  const unread = plan.targets.filter(({ id }) => draft.observation.targets[id]?.kind !== 'weight')
  const [first] = found
  if (unread.length > 0 || !first) {
    const ids = unread.map(({ id }) => id).join(', ')
    return { kind: 'none', sentence: `${ids} cannot be read now`, hint: 'see `headgate doctor`, then try again' }
  }
  const isOne = (one: Found) => sameWeight(one.weightPercent, first.weightPercent) && sameTrial(one.trial, first.trial)
  if (!found.every(isOne))
    return { kind: 'none', sentence: `the targets disagree: ${foundInWords(found)}`, hint: LEVEL }
  const back = currentReadings(draft).filter(
    ({ target, reading }) =>
      target.role === 'boomerang' && !(reading?.kind === 'weight' && sameWeight(reading.weightPercent, 100)),
  )
  if (back.length > 0) {
    const ids = back.map(({ target }) => target.id).join(', ')
    return { kind: 'none', sentence: `the targets disagree: ${ids} sends back to OLD what reaches NEW`, hint: LEVEL }
  }
  return placeAt(plan, first)
}

function placeAt({ steps }: Plan, { weightPercent, trial }: Found): Place {
  if (trial === null && sameWeight(weightPercent, 100)) return { kind: 'bake', weightPercent }
  // A trial is a step of its own, without a weight: any other step's weight would be another one.
  const fitting = steps.filter((step) =>
    trial === null
      ? step.trial === null && step.weightPercent > 0 && step.weightPercent < weightPercent + 0.05
      : sameTrial(step.trial, trial) && sameWeight(step.weightPercent, weightPercent),
  )
  const nearest = Math.max(...fitting.map((step) => step.weightPercent))
  const stepIndex = steps.findIndex((step) => fitting.includes(step) && sameWeight(step.weightPercent, nearest))
  if (stepIndex >= 0) return { kind: 'step', stepIndex, weightPercent }
  return {
    kind: 'none',
    sentence: `no step of the plan is at or below ${formatPercent(weightPercent)}${trial === null ? '' : ' with this trial'}`,
    hint: 'bring the targets to the weight of a step by hand, then adopt that; or revert',
  }
}

/** The place in words. */
export function placeInWords({ steps }: Plan, place: Exclude<Place, { kind: 'none' }>): string {
  const { weightPercent } = place
  if (place.kind === 'bake') return `the bake, at ${formatPercent(weightPercent)}`
  const label = stepLabel(steps, place.stepIndex)
  const isAt = sameWeight(steps[place.stepIndex]?.weightPercent ?? 0, weightPercent)
  const at = isAt ? label : `${label}, at ${formatPercent(weightPercent)}`
  return `step ${place.stepIndex + 1} of ${steps.length} (${at})`
}
