import { change, type Draft, note } from './draft.ts'
import { freshEvidence } from './initial.ts'

/** What is judged comes from now on alone, and the hold time is earned anew. The weight stays as much in force as it was. */
export function earnAnew(draft: Draft): void {
  const { share, inForceAtMs, settledMs } = draft.state
  const fresh = freshEvidence()
  note(draft, [])
  const isInForce = inForceAtMs !== null
  change(draft, {
    ...fresh,
    tests: {},
    judgeSinceMs: draft.nowMs,
    ...(isInForce && { inForceAtMs: draft.nowMs, share }),
    settledMs: isInForce ? settledMs : fresh.settledMs,
  })
}
