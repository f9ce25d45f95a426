import { earnAnew } from './anew.ts'
import { change, type Draft, emit, enter, hold, unhold } from './draft.ts'
import { formatPercent } from './format.ts'
import { foundInWords, foundOn, hasFoundTraffic, isUnwritten, placeInWords, placeOf, unknownOf } from './found.ts'
import { pinPlan } from './pin.ts'
import { type Problem, problem } from './problem.ts'
import { hasHold } from './state.ts'

/**
 * Holds a rollout whose targets have a weight before it wrote any, whatever the drift policy says: to write its own
 * weight now would move users on nobody's word. True: it holds.
 */
export function followUnknown(draft: Draft): boolean {
  const { state, plan } = draft
  if (!isUnwritten(state)) return false
  const unknown = unknownOf(draft)
  const isHeld = hasHold(state, 'unknown-weight')
  if (unknown.length > 0) {
    hold(draft, 'unknown-weight', detailOf(draft, unknown))
    return true
  }
  const splits = plan.targets.filter(({ role }) => role === 'split')
  // What cannot be read now has not gone away.
  if (foundOn(draft).length < splits.length) return isHeld
  unhold(draft, 'unknown-weight', `the targets read ${formatPercent(state.intendedWeightPercent)}`)
  return false
}

function detailOf(draft: Draft, unknown: ReturnType<typeof unknownOf>): string {
  const { state, plan } = draft
  const { workload, intendedWeightPercent } = state
  const writers = [...new Set(unknown.flatMap(({ otherWriter }) => otherWriter ?? []))]
  const place = placeOf(draft)
  const ways = [
    place.kind === 'none'
      ? `it cannot be adopted as it is: ${place.sentence}`
      : `\`headgate adopt ${workload}\` goes on from ${placeInWords(plan, place)}`,
    ...(hasFoundTraffic(draft) ? [`\`headgate revert ${workload}\` brings the traffic back`] : []),
  ]
  const expected = `${formatPercent(intendedWeightPercent)} is expected, and this rollout wrote nothing yet`
  const why = writers.length > 0 ? writers : ['its store was lost, or somebody has moved traffic by hand']
  return [`${foundInWords(unknown)}, but ${expected}`, ...why, ways.join(', ')].join('; ')
}

/**
 * Takes the weights that the targets have as the committed ones, and goes on from there: nothing is written, and evidence
 * and hold time are earned anew. Returns COMMAND_WRONG_PHASE, COMMAND_NOTHING_TO_DO, COMMAND_NOT_ADOPTABLE.
 */
export function adoptFound(draft: Draft, actor: string): Problem | null {
  const { state, plan, nowMs } = draft
  const { workload } = state
  if (!isUnwritten(state))
    return problem('COMMAND_WRONG_PHASE', `${workload} is ${state.phase.name}, and knows its weight`)
  const place = placeOf(draft)
  if (unknownOf(draft).length === 0 && foundOn(draft).length > 0)
    return problem('COMMAND_NOTHING_TO_DO', `the targets of ${workload} have the weight that it starts from`)
  if (place.kind === 'none') return problem('COMMAND_NOT_ADOPTABLE', place.sentence, { hint: place.hint })

  const found = foundOn(draft).map(({ target, weightPercent }) => ({ targetId: target.id, weightPercent }))
  const { weightPercent } = place
  pinPlan(draft)
  unhold(draft, 'unknown-weight', 'adopted', actor)
  // Its traffic has moved already: there is no turn to wait for.
  unhold(draft, 'dependency', 'adopted', actor)
  change(draft, {
    intendedWeightPercent: weightPercent,
    intendedAtMs: nowMs,
    confirmedWeightPercent: weightPercent,
    confirmedAtMs: nowMs,
  })
  earnAnew(draft)
  const stepIndex = place.kind === 'step' ? place.stepIndex : null
  emit(draft, { type: 'weight-adopted', weightPercent, stepIndex, steps: plan.steps.length, found }, actor)
  const reason = `every target reads ${formatPercent(weightPercent)}, and was adopted`
  enter(draft, stepIndex === null ? { name: 'baking' } : { name: 'stepping', stepIndex }, reason, actor)
  return null
}
