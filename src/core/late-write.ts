import { change, type Draft, emit, spendElapsed } from './draft.ts'
import { confirm } from './force.ts'
import { formatPercent, formatSpan } from './format.ts'
import { LATE_WRITE_MS, mayBeOvertaken } from './state.ts'
import { type Drifted, raisedTargets } from './targets.ts'

/**
 * Brings the traffic back once more where a raise has landed after its revert was over: one that was given up, or whose
 * process died, may have waited in the network or at the provider for longer than anybody waited for it. Whoever raises
 * a weight by hand so shortly after a revert is overruled as well.
 */
export function followLateWrites(draft: Draft): void {
  if (!mayBeOvertaken(draft.state)) return
  confirm(draft)
  // The time before it was reverted is not to count.
  if (draft.state.phaseSinceMs < draft.nowMs) change(draft, { heldMs: draft.state.heldMs + spendElapsed(draft) })
  const { unconfirmedPercents, intendedWeightPercent, phaseSinceMs } = draft.state
  const raised = raisedTargets(draft)
  if (unconfirmedPercents.length > 0 || raised.length === 0) return
  const foundPercents = raised.map(({ weightPercent }) => weightPercent)
  change(draft, {
    intendedAtMs: draft.nowMs,
    unconfirmedPercents: [...foundPercents, intendedWeightPercent],
  })
  const after = formatSpan((draft.nowMs - phaseSinceMs) / 1000)
  const writers = [...new Set(raised.flatMap(({ otherWriter }) => otherWriter ?? []))]
  const cause =
    writers.length > 0 ? writers.join('; ') : 'a raise that was sent before it has landed late, or somebody raised it'
  const reason = `${inWords(raised)} ${after} after the revert: ${cause}; a revert insists until it was watched for ${formatSpan(LATE_WRITE_MS / 1000)}`
  emit(draft, { type: 'weight-reasserted', foundPercents, weightPercent: intendedWeightPercent, reason })
}

function inWords(raised: readonly Drifted[]): string {
  return raised.map(({ target, weightPercent }) => `${target.id} reads ${formatPercent(weightPercent)}`).join(', ')
}
