import { change, type Draft, emit, hold, unhold } from './draft.ts'
import { isMissing, type Missing } from './observation.ts'

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

/**
 * What cannot be measured of OLD, a clause each. NEW may have no series before it gets traffic; but whoever cannot see
 * OLD can neither compare with it nor tell whether it could take the traffic back.
 */
export function missingBaseline(draft: Draft): readonly string[] {
  return draft.plan.slis.flatMap(({ name }) => {
    const old = oldReading(draft, name)
    // A source that counts from its first look on is not blind yet.
    return old === 'seen' || old === 'unread' || old.why === 'no-baseline'
      ? []
      : [`${name} of old cannot be read: ${old.detail}`]
  })
}

/** True when every SLI was measured of OLD. */
export function isBaselined(draft: Draft): boolean {
  return draft.plan.slis.every(({ name }) => oldReading(draft, name) === 'seen')
}

function oldReading({ observation }: Draft, sli: string): 'seen' | 'unread' | Missing {
  const reading = observation.slis[sli]
  if (reading === undefined) return 'unread'
  if (reading.kind === 'missing') return reading
  const old = reading.kind === 'value' ? reading.value.old : reading.tick.old
  return typeof old === 'object' && isMissing(old) ? old : 'seen'
}
