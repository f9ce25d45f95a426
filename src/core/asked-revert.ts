import { oldCapacity, shortness } from './capacity.ts'
import { change, type Draft, emit, hold } from './draft.ts'
import { oldFitness } from './gates/judge.ts'
import { verdictsOn } from './harm.ts'
import { startRevert } from './intend.ts'
import { type Problem, problem } from './problem.ts'

/**
 * Starts the revert that a person wants, or, where OLD has first to be scaled up, sees to that and remembers it. Returns
 * COMMAND_OLD_UNFIT where OLD is no better, or too small and not to be scaled.
 */
export function askRevert(draft: Draft, reason: string, actor: string): Problem | null {
  const fitness = oldFitness(draft.plan, draft.state, draft.observation, [])
  if (fitness.kind === 'unfit') return problem('COMMAND_OLD_UNFIT', fitness.sentence)
  const capacity = oldCapacity(draft)
  if (capacity.kind !== 'short') {
    startRevert(draft, reason, verdictsOn(draft), actor)
    return null
  }
  if (!capacity.isScaled) return problem('COMMAND_OLD_UNFIT', capacity.sentence)
  const waits = `${reason}; but ${shortness(capacity)}`
  change(draft, { askedRevert: { reason, actor } })
  emit(draft, { type: 'revert-refused', reason: waits, evidence: [] }, actor)
  hold(draft, 'halted', waits, [], actor)
  return null
}

/** Starts a revert that was asked for before, once OLD can take the traffic. */
export function followAskedRevert(draft: Draft): void {
  const { askedRevert } = draft.state
  if (askedRevert === null) return
  const capacity = oldCapacity(draft)
  if (capacity.kind === 'short') {
    if (!capacity.isScaled) giveUp(draft, `${askedRevert.reason}; but ${shortness(capacity)}`, askedRevert.actor)
    return
  }
  startRevert(draft, askedRevert.reason, verdictsOn(draft), askedRevert.actor)
}

/** OLD could not be scaled up: whoever asked must know, or would wait for ever. */
function giveUp(draft: Draft, refusal: string, actor: string): void {
  change(draft, { askedRevert: null })
  emit(draft, { type: 'revert-refused', reason: refusal, evidence: [] }, actor)
  hold(draft, 'halted', refusal, [], actor)
}
