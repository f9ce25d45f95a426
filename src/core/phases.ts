import { followUnknown } from './adopt.ts'
import { followBlindness, isBaselined, missingBaseline, missingTargets } from './blind.ts'
import { followCapacity, noteFullReplicas } from './capacity.ts'
import { followCalendar, isCleared } from './clearance.ts'
import { change, type Draft, enter, hold, spendElapsed, unhold } from './draft.ts'
import { followDrift } from './drift.ts'
import { followCompleted, followDraining, followReverted } from './ending.ts'
import { takeIn } from './evidence.ts'
import { followChecks } from './follow-checks.ts'
import { confirm, followWeight, isConfirmedWeight } from './force.ts'
import { formatPercent, formatSpan } from './format.ts'
import type { Verdict } from './gates/verdict.ts'
import { fleetVerdicts, judgeAll } from './harm.ts'
import { isWarm, runHooks } from './hooks.ts'
import { finishRevert, intend } from './intend.ts'
import { pinPlan } from './pin.ts'
import { type HoldCause, hasBaked, hasHold, hasOtherHold, type Phase } from './state.ts'
import { preparation, prepareTtls } from './ttl.ts'
import { sameWeight } from './weights.ts'

/** Holds that the way to the next step itself adds and removes. */
const CLEARED: readonly HoldCause[] = ['approval', 'capacity', 'hook']

type Handler = (draft: Draft) => void

/** What each phase does in a step. A phase that is left in a step hands over to the next one in the same step. */
export const PHASES: { readonly [Name in Phase['name']]: Handler } = {
  waiting: leaveWaiting,
  preflight: leavePreflight,
  preparing: leavePreparing,
  stepping: followStep,
  baking: followBaking,
  draining: followDraining,
  completed: followCompleted,
  reverting: (draft) => {
    confirm(draft)
    finishRevert(draft)
  },
  reverted: followReverted,
  cancelled: () => {},
}

function leaveWaiting(draft: Draft): void {
  const { plan } = draft
  followCalendar(draft)
  followTurn(draft)
  // Traffic that moved already is told at once, and not only when it is its turn.
  followUnknown(draft)
  if (draft.state.holds.length > 0) return
  pinPlan(draft)
  enter(
    draft,
    { name: 'preflight' },
    plan.after.length === 0 ? 'nothing to wait for' : `${plan.after.join(', ')} baked`,
  )
}

/** Its own dependencies, and the fleet's order. */
function followTurn(draft: Draft): void {
  const { plan, observation } = draft
  const undone = plan.after.filter((name) => {
    const phase = observation.dependencies[name]
    return phase === undefined || phase === null || !hasBaked(phase)
  })
  const named = undone.map((name) => `${name} (${observation.dependencies[name] ?? 'no such rollout'})`)
  const reasons = [
    ...(named.length > 0 ? [`waits for ${named.join(', ')} to have baked`] : []),
    ...(observation.fleet.waitsFor === null ? [] : [observation.fleet.waitsFor]),
  ]
  if (reasons.length > 0) hold(draft, 'dependency', reasons.join('; '))
  else
    unhold(draft, 'dependency', plan.after.length > 0 ? 'every workload named in `after` has baked' : 'it is its turn')
}

/** The start is only safe from a known weight, with OLD in sight, and nothing found against NEW. */
function leavePreflight(draft: Draft): void {
  followTargets(draft)
  noteFullReplicas(draft)
  const areChecksFine = followChecks(draft, 'start')
  const { plan, state } = draft
  const isHeld = state.holds.some(({ cause }) => cause !== 'hook')
  if (isHeld || !areChecksFine || !isConfirmedWeight(draft) || !isBaselined(draft)) return
  if (runHooks(draft, 'preflight', null) !== 'done') return
  const read = `every target reads ${formatPercent(state.intendedWeightPercent)}`
  enter(draft, { name: 'preparing' }, plan.slis.length === 0 ? read : `${read}, and old is measured`)
}

function leavePreparing(draft: Draft): void {
  followCalendar(draft)
  followTargets(draft)
  noteFullReplicas(draft)
  const areChecksFine = followChecks(draft, 'always')
  if (hasOtherHold(draft.state, CLEARED) || !isConfirmedWeight(draft)) return
  if (!prepareTtls(draft) || !areChecksFine || !isCleared(draft, 0)) return
  enter(draft, { name: 'stepping', stepIndex: 0 }, preparation(draft))
  raise(draft, 0)
}

function followStep(draft: Draft): void {
  const { phase } = draft.state
  if (phase.name !== 'stepping') return
  followCalendar(draft)
  const areChecksFine = followChecks(draft, 'always')
  if (watch(draft) === 'reverting') return
  const index = phase.stepIndex
  const [step, next] = [draft.plan.steps[index], draft.plan.steps[index + 1]]
  followAsking(draft)
  // For the next weight as soon as this one is there: what has to be scaled up shall be ready when the step is proven.
  followCapacity(draft, (draft.state.inForceAtMs === null ? step : next)?.weightPercent ?? 0)
  if (!step || !areChecksFine || !isWarm(draft, step, index) || !isProven(draft, step.holdSeconds, index)) return
  if (hasOtherHold(draft.state, CLEARED) || runHooks(draft, 'after-step', index) !== 'done') return
  if (next && !isCleared(draft, index + 1)) return
  if (draft.state.holds.length > 0) return
  const proof = proofSentence(draft, index)
  if (next) {
    enter(draft, { name: 'stepping', stepIndex: index + 1 }, proof)
    raise(draft, index + 1)
  } else {
    startBaking(draft, proof)
  }
}

function startBaking(draft: Draft, proof: string): void {
  change(draft, { heldMs: 0, advancedStepIndex: null })
  enter(draft, { name: 'baking' }, `${proof}; watched for ${formatSpan(draft.plan.bakeSeconds)} more`)
}

function followBaking(draft: Draft): void {
  // It may come here by an `adopt` outside of a window.
  unhold(draft, 'window', 'nothing is raised any more')
  const areChecksFine = followChecks(draft, 'always')
  if (watch(draft) === 'reverting') return
  followAsking(draft)
  const { plan } = draft
  if (draft.state.holds.length > 0 || !areChecksFine || !isProven(draft, plan.bakeSeconds, plan.steps.length)) return
  enter(draft, { name: 'draining' }, proofSentence(draft, plan.steps.length))
}

/** A gate that leaves it to a person is a hold, so that the person learns of it; `advance`, or proof after all, ends it. */
function followAsking(draft: Draft): void {
  const { state } = draft
  const asking =
    state.advancedStepIndex === null ? draft.verdicts?.find(({ evidence }) => evidence['asks'] === 'person') : undefined
  if (asking) hold(draft, 'approval', asking.sentence)
  else if (state.told.asked) unhold(draft, 'approval', 'it is proven now')
  change(draft, { told: { ...state.told, asked: asking !== undefined } })
}

/** Before the first step no gate is judged, but targets and OLD must be seen, and nobody else may move the weights. */
function followTargets(draft: Draft): void {
  confirm(draft)
  followDrift(draft)
  const verdicts = fleetVerdicts(draft)
  const blind = verdicts.filter(({ outcome }) => outcome === 'blind').map(({ sentence }) => sentence)
  followBlindness(draft, [...missingTargets(draft), ...missingBaseline(draft), ...blind])
  const halting = verdicts.filter(({ outcome }) => outcome === 'halt')
  if (halting.length > 0) hold(draft, 'halted', halting.map(({ sentence }) => sentence).join('; '), halting)
}

/** Follows weight, evidence, drift and harm of a rollout under way. */
function watch(draft: Draft): 'reverting' | 'on' {
  followWeight(draft)
  takeIn(draft)
  followDrift(draft)
  if (judgeAll(draft)) return 'reverting'
  if (draft.state.inForceAtMs !== null && !hasHold(draft.state, 'blind'))
    change(draft, { heldMs: draft.state.heldMs + spendElapsed(draft) })
  return 'on'
}

/** Proof to go on: in force, held for long enough, and every gate passes; or a person's `advance` instead of the last two. */
function isProven(draft: Draft, holdSeconds: number, index: number): boolean {
  const { state } = draft
  if (state.inForceAtMs === null || !isConfirmedWeight(draft)) return false
  if (state.advancedStepIndex === index) return true
  const isHeldLong = state.heldMs >= holdSeconds * 1000
  return isHeldLong && (draft.verdicts?.every((verdict) => isGoodEnough(draft, verdict)) ?? false)
}

/** Without a weight no requests of users prove anything: there it is enough that nothing speaks against NEW. */
function isGoodEnough(draft: Draft, { gate, outcome }: Verdict): boolean {
  if (outcome === 'pass' || draft.state.intendedWeightPercent > 0) return outcome === 'pass'
  const isProbe = draft.plan.gates.some(({ id, kind }) => id === gate && kind === 'probe')
  return outcome === 'wait' && !isProbe
}

function proofSentence({ state, verdicts }: Draft, index: number): string {
  if (state.advancedStepIndex === index) return 'advanced by a person'
  return `held for ${formatSpan(state.heldMs / 1000)}; ${(verdicts ?? []).map(({ sentence }) => sentence).join('; ')}`
}

function raise(draft: Draft, index: number): void {
  const step = draft.plan.steps[index]
  if (!step) throw new Error(`no step ${index}`)
  if (isSameAsBefore(draft, index)) {
    // Nothing is written, so what was counted at this weight counts on; only the hold time is this step's own.
    change(draft, { heldMs: 0, advancedStepIndex: null })
    return
  }
  const reason = `step ${index + 1} of ${draft.plan.steps.length}`
  intend(draft, {
    weightPercent: step.weightPercent,
    trial: step.trial,
    urgency: 'forward',
    reason,
    evidence: draft.verdicts ?? [],
  })
}

/** True when the step only waits, warms or asks, at the weight of the one before. */
function isSameAsBefore({ plan }: Draft, index: number): boolean {
  const [before, step] = [plan.steps[index - 1], plan.steps[index]]
  if (!before || !step || before.trial !== null || step.trial !== null) return false
  return sameWeight(before.weightPercent, step.weightPercent)
}
