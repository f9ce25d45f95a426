import { followUnknown } from './adopt.ts'
import { change, type Draft, hold, unhold } from './draft.ts'
import { formatPercent } from './format.ts'
import { freshEvidence } from './initial.ts'
import { reassert } from './intend.ts'
import { hasHold } from './state.ts'
import { type Drifted, driftedTargets, readsAsWanted, wantedPercent } from './targets.ts'
import { sameWeight } from './weights.ts'

/** Holds, or corrects where the policy says so, what somebody else has written. */
export function followDrift(draft: Draft): void {
  if (followUnknown(draft)) return
  const drifted = driftedTargets(draft)
  if (drifted.length === 0) {
    if (draft.state.isUnwatched && readsAsWanted(draft)) change(draft, { isUnwatched: false })
    if (hasHold(draft.state, 'drift') && readsAsWanted(draft))
      unhold(draft, 'drift', 'the targets read the intended weight again')
    return
  }
  const told = drifted.map(({ target, weightPercent }) => {
    const wanted = wantedPercent(draft, target)
    return sameWeight(weightPercent, wanted)
      ? `${target.id} has another trial than the one that was written`
      : `${target.id} reads ${formatPercent(weightPercent)} but ${formatPercent(wanted)} was written`
  })
  const writers = [...new Set(drifted.flatMap(({ otherWriter }) => otherWriter ?? []))]
  const detail = `${told.join(', ')}: ${writers.length > 0 ? writers.join('; ') : 'somebody else changed it'}`
  const { isUnwatched } = draft.state
  if (
    draft.plan.drift === 'correct' &&
    !isUnwatched &&
    !(isClosed(draft) && drifted.some((one) => isBelow(draft, one)))
  ) {
    unhold(draft, 'drift', 'corrected, as the policy says')
    reassert(
      draft,
      drifted.map(({ weightPercent }) => weightPercent),
      `${detail}; corrected, as the policy says`,
    )
  } else {
    const then = draft.plan.drift === 'correct' ? notYet(isUnwatched) : ''
    hold(draft, 'drift', `${detail}; put it back, or use \`retry\` to have Headgate write its weight again${then}`)
    // Time and requests at a foreign weight prove nothing about this one.
    change(draft, freshEvidence())
  }
}

/** Why the policy's `correct` does not apply now. */
function notYet(isUnwatched: boolean): string {
  // Of two weights nobody knows which is the newer one: the store may have been restored from an older backup.
  if (isUnwatched) return '; it is not corrected, because it came while nobody looked, or the store is an older one'
  return '; it is corrected when the window opens'
}

function isClosed({ observation }: Draft): boolean {
  return observation.calendar?.isOpen === false
}

/** To correct it would raise it. */
function isBelow(draft: Draft, { target, weightPercent }: Drifted): boolean {
  return weightPercent < wantedPercent(draft, target)
}
