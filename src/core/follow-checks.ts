import { earnAnew } from './anew.ts'
import { CHECK_IDS, CHECKS, type CheckReading, type PlanCheck } from './check.ts'
import { change, type Draft, emit, hold, unhold } from './draft.ts'
import type { HoldCause } from './state.ts'

/** The holds that checks may be. */
const CAUSES = [...new Set(CHECK_IDS.map((id) => CHECKS[id].cause))] as readonly HoldCause[]

/**
 * Follows the plan's checks: all before the start, afterwards those that are looked at always. True when each that may
 * hold was looked at and has nothing against it: one that nobody looked at yet is no pass, and no hold either.
 */
export function followChecks(draft: Draft, during: 'start' | 'always'): boolean {
  const wanted = draft.plan.checks.filter(({ id }) => during === 'start' || CHECKS[id].during === 'always')
  const looked = wanted.map((check) => ({ ...check, reading: currentReading(draft, check) }))
  for (const { id, reading } of looked) if (reading) tellChange(draft, id, reading)
  const wasHeld = draft.state.holds.some(({ cause }) => cause === 'check')
  const failing = looked.filter(({ then, reading }) => then === 'hold' && reading !== null && isAgainst(reading))
  for (const cause of CAUSES) {
    const details = failing.flatMap(({ id, reading }) =>
      CHECKS[id].cause === cause && reading ? [`${id}: ${reading.sentence}`] : [],
    )
    if (details.length > 0) hold(draft, cause, details.join('; '))
    else unhold(draft, cause, 'nothing speaks against it any more')
  }
  // What NEW was while it differed from OLD proves nothing about what it is now.
  if (during === 'always' && wasHeld && failing.length === 0) earnAnew(draft)
  return looked.every(({ then, reading }) => then === 'tell' || (reading !== null && !isAgainst(reading)))
}

/** Ends the holds of checks that are not looked at any more. */
export function dropChecks(draft: Draft): void {
  for (const cause of CAUSES) unhold(draft, cause, 'it is not looked at any more')
}

/** A reading of before the start is about another world. */
function currentReading({ observation, state }: Draft, { id }: PlanCheck): CheckReading | null {
  const reading = observation.checks[id]
  return reading && reading.atMs >= (state.startedAtMs ?? 0) ? reading : null
}

type Trouble = CheckReading & { readonly outcome: 'fail' | 'missing' }

function isAgainst(reading: CheckReading): reading is Trouble {
  return reading.outcome === 'fail' || reading.outcome === 'missing'
}

/** Trouble and its end; that a check finds nothing is to be seen in `status`, and goes without saying. */
function tellChange(draft: Draft, id: string, reading: CheckReading): void {
  const { outcome, sentence, hint } = reading
  const { [id]: from = null, ...others } = draft.state.checks
  if (from === (isAgainst(reading) ? reading.outcome : null)) return
  change(draft, { checks: isAgainst(reading) ? { ...others, [id]: reading.outcome } : others })
  emit(draft, { type: 'check-changed', check: id, from, to: outcome, sentence, hint })
}
