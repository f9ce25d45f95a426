import { formatPercent, formatSpan } from '../core/format.ts'
import { OUTCOMES, type Outcome } from '../core/gates/verdict.ts'
import type { Plan } from '../core/plan.ts'
import type { Hold, HoldCause, RolloutState } from '../core/state.ts'
import { waitSeconds } from '../core/ttl.ts'
import { unreachable } from '../core/unreachable.ts'
import type { WorkloadView } from '../ports/control.ts'

type WhyInput = Pick<WorkloadView, 'state' | 'plan' | 'verdicts' | 'observation'>

/**
 * In one clause, why the workload stands where it stands: what ended it, else what holds it, else what a gate has
 * against it, else how far it is.
 */
export function whyOf(view: WhyInput): string {
  const { state, plan } = view
  const { phase } = state
  switch (phase.name) {
    case 'completed':
      return 'all traffic is on new'
    case 'reverting':
    case 'reverted':
    case 'cancelled':
      return phase.reason
    case 'waiting':
      return holdClause(state) ?? 'waits for its turn'
    case 'preflight':
      return troubleClause(view) ?? 'checking that both clusters can be seen'
    case 'preparing':
      return troubleClause(view) ?? preparingClause(state, plan)
    case 'stepping':
      return troubleClause(view) ?? progressClause(view, plan.steps[phase.stepIndex]?.holdSeconds)
    case 'baking':
      return troubleClause(view) ?? progressClause(view, plan.bakeSeconds)
    case 'draining':
      return holdClause(state) ?? drainClause(state, plan)
    default:
      return unreachable(phase)
  }
}

/** The worst that a gate said last; null: nothing was judged yet. */
export function worstOutcome({ outcomes }: Pick<RolloutState, 'outcomes'>): Outcome | null {
  const said = Object.values(outcomes)
  return OUTCOMES.findLast((outcome) => said.includes(outcome)) ?? null
}

// What wants a person first comes first.
const HOLD_ORDER: Readonly<Record<HoldCause, number>> = {
  halted: 0,
  alert: 1,
  'unknown-weight': 2,
  drift: 3,
  hook: 4,
  check: 5,
  blind: 6,
  budget: 7,
  capacity: 8,
  approval: 9,
  paused: 10,
  window: 11,
  dependency: 12,
}

/** The holds, the one that wants a person most first. */
export function sortHolds(holds: readonly Hold[]): readonly Hold[] {
  return holds.toSorted((a, b) => HOLD_ORDER[a.cause] - HOLD_ORDER[b.cause])
}

function drainClause({ drain }: RolloutState, { drainSeconds }: Plan): string {
  if (drain === null) return 'baked at 100 %; about to look who still comes to old'
  const last = drain.lastRequestAtMs === null ? '' : '; it had requests since it should have none'
  return `old quiet for ${formatSpan(drain.quietMs / 1000)} of ${formatSpan(drainSeconds)}${last}`
}

function troubleClause({ state, verdicts }: WhyInput): string | null {
  const held = holdClause(state)
  const worst = worstOutcome(state)
  if (held !== null || (worst !== 'revert' && worst !== 'halt' && worst !== 'blind')) return held
  if (verdicts === null) return `a gate said ${worst} before the start`
  return verdicts.find(({ outcome }) => outcome === worst)?.sentence ?? null
}

function holdClause({ holds }: RolloutState): string | null {
  const [first, ...others] = sortHolds(holds)
  if (!first) return null
  const more = others.length === 0 ? '' : ` (also ${others.map(({ cause }) => cause).join(', ')})`
  return `${first.cause}: ${first.detail}${more}`
}

function preparingClause(state: RolloutState, plan: Plan): string {
  const lowered = Object.keys(state.ttlsBefore)
  if (lowered.length === 0) return 'making the targets ready'
  if (state.ttlWaitedMs === null) return `lowering the TTL of ${lowered.join(', ')}`
  const waited = formatSpan(Math.floor(state.ttlWaitedMs / 1000))
  return `TTLs are lowered; ${waited} of ${formatSpan(waitSeconds({ plan, state }))} until no resolver has an old answer`
}

function pendingClause({ targets }: WhyInput['observation']): string | null {
  const pending = Object.entries(targets).flatMap(([id, reading]) =>
    reading.kind === 'weight' && reading.pending !== undefined ? [`${id}: ${reading.pending}`] : [],
  )
  return pending.length === 0 ? null : pending.join('; ')
}

function progressClause({ state, verdicts, observation }: WhyInput, holdSeconds: number | undefined): string {
  const { intendedWeightPercent, confirmedWeightPercent, inForceAtMs, heldMs } = state
  if (confirmedWeightPercent !== intendedWeightPercent)
    return `writing ${formatPercent(intendedWeightPercent)}, not read back yet`
  if (inForceAtMs === null) return pendingClause(observation) ?? 'read back; settling until the observed share shows it'
  const waiting = verdicts?.find(({ outcome }) => outcome === 'wait')
  const heldSeconds = heldMs / 1000
  if (holdSeconds !== undefined && heldSeconds < holdSeconds) {
    const held = `held ${formatSpan(Math.floor(heldSeconds))} of ${formatSpan(holdSeconds)}`
    return waiting ? `${held}; ${waiting.sentence}` : held
  }
  if (verdicts === null) return 'held long enough; not judged since the start'
  return waiting ? waiting.sentence : 'held long enough, and every gate passes'
}
