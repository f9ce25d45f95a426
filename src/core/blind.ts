import { change, type Draft, emit, hold, unhold } from './draft.ts'

/** Missing data is a hold of its own, and a page when it lasts; never a pass, never harm. No details: nothing is missing. */
export function followBlindness(draft: Draft, details: readonly string[]): void {
  if (details.length === 0) {
    unhold(draft, 'blind', 'data is back')
    change(draft, { blindSinceMs: null, told: { ...draft.state.told, blind: false } })
    return
  }
  const detail = details.join('; ')
  hold(draft, 'blind', detail)
  const blindSinceMs = draft.state.blindSinceMs ?? draft.nowMs
  change(draft, { blindSinceMs })
  const seconds = (draft.nowMs - blindSinceMs) / 1000
  if (seconds < draft.plan.blindAfterSeconds || draft.state.told.blind) return
  change(draft, { told: { ...draft.state.told, blind: true } })
  emit(draft, { type: 'blind-too-long', seconds, detail })
}

/** What cannot be read of the targets, a clause each. */
export function missingTargets({ plan, observation }: Draft): readonly string[] {
  return plan.targets.flatMap(({ id }) => {
    const reading = observation.targets[id]
    return reading?.kind === 'missing' ? [`${id} cannot be read: ${reading.detail}`] : []
  })
}
