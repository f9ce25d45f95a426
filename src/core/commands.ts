import { adoptFound } from './adopt.ts'
import { earnAnew } from './anew.ts'
import { approvalOf, isApprovedNow, stepToApprove } from './approval.ts'
import { askRevert } from './asked-revert.ts'
import { change, type Draft, emit, enter, hold, note, unhold } from './draft.ts'
import { hasFoundTraffic } from './found.ts'
import { verdictsOn } from './harm.ts'
import { initialState } from './initial.ts'
import { reassert, startRevert } from './intend.ts'
import type { Command, CommandName } from './observation.ts'
import { type Problem, problem } from './problem.ts'
import { redoFailed } from './run-tasks.ts'
import { type HoldCause, hasHold, isTerminal } from './state.ts'
import { driftedTargets } from './targets.ts'

/** Does the command, or says why not. */
type Handler = (draft: Draft, fact: Command) => Problem | null

/** Takes in one command: it is journaled as done or refused, never dropped. */
export function takeCommand(draft: Draft, fact: Command): void {
  const { id: factId, command, reason, actor } = fact
  const firstConsequence = draft.events.length
  const refusal = COMMANDS[command](draft, fact)
  if (refusal) emit(draft, { type: 'command-refused', factId, command, reason, problem: refusal.toJSON() }, actor)
  else emit(draft, { type: 'command-done', factId, command, reason }, actor)
  // The journal tells the command before what came of it.
  draft.events.splice(firstConsequence, 0, ...draft.events.splice(-1))
}

const COMMANDS: { readonly [Name in CommandName]: Handler } = {
  pause,
  resume,
  approve,
  advance,
  halt,
  revert,
  retry,
  cancel,
  close,
  adopt: (draft, { actor }) => adoptFound(draft, actor),
}

function pause(draft: Draft, fact: Command): Problem | null {
  return addHold(draft, fact, 'paused')
}

function halt(draft: Draft, fact: Command): Problem | null {
  return addHold(draft, fact, 'halted')
}

function addHold(draft: Draft, { reason, actor }: Command, cause: 'paused' | 'halted'): Problem | null {
  const { phase } = draft.state
  if (isTerminal(phase) || phase.name === 'reverting') return wrongPhase(draft)
  if (hasHold(draft.state, cause))
    return problem('COMMAND_NOTHING_TO_DO', `${draft.state.workload} is ${cause} already`)
  hold(draft, cause, reason, [], actor)
  return null
}

/** A person has looked: evidence from before is not judged again, and the hold time starts anew. */
function resume(draft: Draft, { reason, actor }: Command): Problem | null {
  const causes = (['paused', 'halted', 'alert'] as const).filter((cause) => hasHold(draft.state, cause))
  if (causes.length === 0)
    return problem('COMMAND_NOTHING_TO_DO', `${draft.state.workload} is neither paused nor halted`)
  for (const cause of causes) unhold(draft, cause, reason, actor)
  change(draft, { askedRevert: null, alerts: [] })
  earnAnew(draft)
  return null
}

function approve(draft: Draft, { actor, reason, roles }: Command): Problem | null {
  const { state } = draft
  const next = stepToApprove(draft)
  if (next === null) return wrongPhase(draft)
  const asked = approvalOf(draft, next)
  if (asked === null || isApprovedNow(draft, next))
    return problem('COMMAND_NOTHING_TO_DO', `the next step of ${state.workload} waits for no approval`)
  if (asked.roles.length > 0 && !asked.roles.some((role) => roles.includes(role)))
    return problem('COMMAND_NOT_APPROVER', `${actor} has none of the roles ${asked.roles.join(', ')}`)
  change(draft, { approved: { stepIndex: next, atMs: draft.nowMs, actor } })
  unhold(draft, 'approval', reason, actor)
  return null
}

function advance(draft: Draft, { reason, actor }: Command): Problem | null {
  const { phase, holds, told, workload } = draft.state
  const { length } = draft.plan.steps
  const index = { stepping: phase.name === 'stepping' ? phase.stepIndex : 0, baking: length, draining: length + 1 }
  if (phase.name !== 'stepping' && phase.name !== 'baking' && phase.name !== 'draining') return wrongPhase(draft)
  // A gate that asks a person holds for this very answer.
  const answered: readonly HoldCause[] = phase.name === 'draining' ? ['blind'] : told.asked ? ['approval'] : []
  const others = holds.filter(({ cause }) => !answered.includes(cause))
  if (others.length > 0)
    return problem('COMMAND_HELD', `${workload} is held: ${others.map(({ cause }) => cause).join(', ')}`)
  if (told.asked) unhold(draft, 'approval', reason, actor)
  change(draft, { advancedStepIndex: index[phase.name] })
  return null
}

function revert(draft: Draft, { reason, actor, force }: Command): Problem | null {
  const { state } = draft
  const { name } = state.phase
  const isUnmoved = name === 'waiting' || name === 'preflight' || name === 'preparing'
  if ((isUnmoved && !hasFoundTraffic(draft)) || name === 'reverting' || name === 'reverted')
    return wrongPhase(draft, 'there is no traffic to bring back; `cancel` ends a rollout that has not begun')
  if (state.closed !== null) return problem('COMMAND_CLOSED', `${state.closed.actor} closed ${state.workload}`)
  if (!force) return askRevert(draft, reason, actor)
  startRevert(draft, reason, verdictsOn(draft), actor)
  return null
}

/**
 * Has failed hooks done again, writes again over drift, or starts a rollout that was reverted or cancelled anew, with the
 * config's plan of now.
 */
function retry(draft: Draft, { reason, actor }: Command): Problem | null {
  const { phase, closed } = draft.state
  if (closed !== null) return problem('COMMAND_CLOSED', `${closed.actor} closed ${draft.state.workload}`)
  if (phase.name === 'reverted' || phase.name === 'cancelled') {
    const { workload, runId, round, intendedWeightPercent, ttlsBefore } = draft.state
    change(draft, { ...initialState(workload, runId, draft.nowMs), round: round + 1, phase, ttlsBefore })
    note(draft, [])
    // A revert ended at the policy's safe weight, and that is where the targets are, also when it was cancelled then.
    if (phase.name === 'reverted' || intendedWeightPercent === draft.plan.safeWeightPercent)
      change(draft, { intendedWeightPercent })
    enter(draft, { name: 'waiting' }, reason, actor)
    return null
  }
  if (redoFailed(draft)) {
    unhold(draft, 'hook', reason, actor)
    return null
  }
  if (hasHold(draft.state, 'unknown-weight'))
    return problem('COMMAND_HELD', `nobody knows who wrote the weight of ${draft.state.workload}`, {
      hint: '`adopt` goes on from it, `revert` brings the traffic back',
    })
  if (!hasHold(draft.state, 'drift'))
    return problem('COMMAND_NOTHING_TO_DO', `${draft.state.workload} has no drift and has not ended`)
  const foreign = driftedTargets(draft).map(({ weightPercent }) => weightPercent)
  unhold(draft, 'drift', reason, actor)
  change(draft, { isUnwatched: false })
  reassert(draft, foreign, reason, actor)
  return null
}

/** Headgate lets go: the weights stay where they are. */
function cancel(draft: Draft, { reason, actor }: Command): Problem | null {
  const { phase } = draft.state
  // One that has reverted keeps others of its migration back until somebody says that it will not move.
  if (isTerminal(phase) && phase.name !== 'reverted') return wrongPhase(draft)
  for (const { cause } of draft.state.holds) unhold(draft, cause, 'cancelled', actor)
  change(draft, { askedRevert: null })
  enter(draft, { name: 'cancelled', reason }, reason, actor)
  return null
}

/** No way back any more: what is left of OLD may go. */
function close(draft: Draft, { reason, actor }: Command): Problem | null {
  const { phase, closed, workload } = draft.state
  if (!isTerminal(phase)) return wrongPhase(draft, 'only what has ended can be closed')
  if (closed !== null) return problem('COMMAND_NOTHING_TO_DO', `${workload} is closed already`)
  change(draft, { closed: { atMs: draft.nowMs, actor }, askedRevert: null })
  emit(draft, { type: 'rollout-closed', reason }, actor)
  return null
}

function wrongPhase({ state }: Draft, hint?: string): Problem {
  return problem('COMMAND_WRONG_PHASE', `${state.workload} is ${state.phase.name}`, hint ? { hint } : {})
}
