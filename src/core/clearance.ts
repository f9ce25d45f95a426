import { followApproval, stepInWords } from './approval.ts'
import { followCapacity } from './capacity.ts'
import { type Draft, hold, unhold } from './draft.ts'
import { runHooks } from './hooks.ts'

/** Windows, freezes and peak hours: outside of them nothing is raised, nor begun. */
export function followCalendar(draft: Draft): void {
  const { calendar } = draft.observation
  if (calendar === null || calendar.isOpen)
    unhold(draft, 'window', calendar?.sentence ?? 'there is no calendar any more')
  else hold(draft, 'window', calendar.sentence)
}

/**
 * Whether step `index` may be taken once the one before is proven: a person's word, the replicas it needs, and what the
 * hooks before it say. Each that is in the way is told; hooks run last, when nothing else is.
 */
export function isCleared(draft: Draft, index: number): boolean {
  const step = draft.plan.steps[index]
  if (!step) throw new Error(`no step ${index}`)
  const isApproved = followApproval(draft, index, stepInWords(draft, index))
  const isRoomy = followCapacity(draft, step.weightPercent)
  if (!isApproved || !isRoomy || draft.state.holds.some(({ cause }) => cause !== 'hook')) return false
  return runHooks(draft, 'before-step', index) === 'done' && draft.state.holds.length === 0
}
