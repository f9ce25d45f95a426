import { followApproval, stepInWords } from './approval.ts'
import { followBlindness, isBaselined, missingBaseline, missingTargets } from './blind.ts'
import { change, type Draft, emit, enter, hold, spendElapsed, unhold } from './draft.ts'
import { takeIn } from './evidence.ts'
import { confirm, followWeight, isConfirmedWeight } from './force.ts'
import { formatPercent, formatSpan } from './format.ts'
import type { Verdict } from './gates/verdict.ts'
import { judgeAll } from './harm.ts'
import { freshEvidence } from './initial.ts'
import { finishRevert, intend, reassert } from './intend.ts'
import { hasBaked, hasHold, type Phase } from './state.ts'
import { driftedTargets, readsAsWanted, trialOf, wantedPercent } from './targets.ts'
import { preparation, prepareTtls, restoreTtls } from './ttl.ts'
import { sameWeight } from './weights.ts'

type Handler = (draft: Draft) => void

/** What each phase does in a step. A phase that is left in a step hands over to the next one in the same step. */
export const PHASES: { readonly [Name in Phase['name']]: Handler } = {
  waiting: leaveWaiting,
  preflight: leavePreflight,
  preparing: leavePreparing,
  stepping: followStep,
  baking: followBaking,
  draining: leaveDraining,
  completed: restoreTtls,
  reverting: (draft) => {
    confirm(draft)
    finishRevert(draft)
  },
  reverted: restoreTtls,
  cancelled: () => {},
}

function leaveWaiting(draft: Draft): void {
  const { plan, observation } = draft
  const undone = plan.after.filter((name) => {
    const phase = observation.dependencies[name]
    return phase === undefined || phase === null || !hasBaked(phase)
  })
  if (undone.length > 0) {
    const named = undone.map((name) => `${name} (${observation.dependencies[name] ?? 'no such rollout'})`)
    hold(draft, 'dependency', `waits for ${named.join(', ')} to have baked`)
    return
  }
  unhold(draft, 'dependency', 'every workload named in `after` has baked')
  if (draft.state.holds.length > 0) return
  change(draft, { planHash: plan.hash })
  const steps = plan.steps.map(({ weightPercent, trial }) => ({ weightPercent, trial }))
  emit(draft, { type: 'plan-pinned', planHash: plan.hash, policy: plan.policy, steps })
  enter(
    draft,
    { name: 'preflight' },
    plan.after.length === 0 ? 'nothing to wait for' : `${plan.after.join(', ')} baked`,
  )
}

/** The start is only safe from a known weight, and with OLD in sight. */
function leavePreflight(draft: Draft): void {
  followTargets(draft)
  const { plan, state } = draft
  if (state.holds.length > 0 || !isConfirmedWeight(draft) || !isBaselined(draft)) return
  const read = `every target reads ${formatPercent(state.intendedWeightPercent)}`
  enter(draft, { name: 'preparing' }, plan.slis.length === 0 ? read : `${read}, and old is measured`)
}

function leavePreparing(draft: Draft): void {
  followTargets(draft)
  if (draft.state.holds.some(({ cause }) => cause !== 'approval') || !isConfirmedWeight(draft)) return
  if (!prepareTtls(draft) || !followApproval(draft, 0, stepInWords(draft, 0))) return
  enter(draft, { name: 'stepping', stepIndex: 0 }, preparation(draft))
  raise(draft, 0)
}

function followStep(draft: Draft): void {
  const { phase } = draft.state
  if (phase.name !== 'stepping' || watch(draft) === 'reverting') return
  const index = phase.stepIndex
  const step = draft.plan.steps[index]
  followAsking(draft)
  if (!step || !isProven(draft, step.holdSeconds, index)) return
  const isLast = index + 1 >= draft.plan.steps.length
  if (!isLast && !followApproval(draft, index + 1, stepInWords(draft, index + 1))) return
  if (draft.state.holds.length > 0) return
  const proof = proofSentence(draft, index)
  if (isLast) {
    startBaking(draft, proof)
  } else {
    enter(draft, { name: 'stepping', stepIndex: index + 1 }, proof)
    raise(draft, index + 1)
  }
}

function startBaking(draft: Draft, proof: string): void {
  change(draft, { heldMs: 0, advancedStepIndex: null })
  enter(draft, { name: 'baking' }, `${proof}; watched for ${formatSpan(draft.plan.bakeSeconds)} more`)
}

function followBaking(draft: Draft): void {
  if (watch(draft) === 'reverting') return
  followAsking(draft)
  const { plan } = draft
  if (draft.state.holds.length > 0 || !isProven(draft, plan.bakeSeconds, plan.steps.length)) return
  enter(draft, { name: 'draining' }, proofSentence(draft, plan.steps.length))
}

function leaveDraining(draft: Draft): void {
  if (draft.state.holds.length > 0) return
  enter(draft, { name: 'completed' }, 'the drain is not watched in this version; look at OLD before you remove it')
}

/** A gate that leaves it to a person is a hold, so that the person learns of it; `advance`, or proof after all, ends it. */
function followAsking(draft: Draft): void {
  const { state } = draft
  const asking =
    state.advancedStepIndex === null ? state.verdicts.find(({ evidence }) => evidence['asks'] === 'person') : undefined
  if (asking) hold(draft, 'approval', asking.sentence)
  else if (state.told.asked) unhold(draft, 'approval', 'it is proven now')
  change(draft, { told: { ...state.told, asked: asking !== undefined } })
}

/** Before the first step no gate is judged, but targets and OLD must be seen, and nobody else may move the weights. */
function followTargets(draft: Draft): void {
  confirm(draft)
  followDrift(draft)
  followBlindness(draft, [...missingTargets(draft), ...missingBaseline(draft)])
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

function followDrift(draft: Draft): void {
  const drifted = driftedTargets(draft)
  if (drifted.length === 0) {
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
  if (draft.plan.drift === 'correct') {
    reassert(
      draft,
      drifted.map(({ weightPercent }) => weightPercent),
      `${detail}; corrected, as the policy says`,
    )
  } else {
    hold(draft, 'drift', `${detail}; put it back, or use \`retry\` to have Headgate write its weight again`)
    // Time and requests at a foreign weight prove nothing about this one.
    const { verdicts } = draft.state
    change(draft, { ...freshEvidence(), verdicts })
  }
}

/** Proof to go on: in force, held for long enough, and every gate passes; or a person's `advance` instead of the last two. */
function isProven(draft: Draft, holdSeconds: number, index: number): boolean {
  const { state } = draft
  if (state.inForceAtMs === null || !isConfirmedWeight(draft)) return false
  if (state.advancedStepIndex === index) return true
  return state.heldMs >= holdSeconds * 1000 && state.verdicts.every((verdict) => isGoodEnough(draft, verdict))
}

/** A trial has no requests of users to prove anything with: there it is enough that nothing speaks against NEW. */
function isGoodEnough(draft: Draft, { gate, outcome }: Verdict): boolean {
  if (outcome === 'pass' || trialOf(draft) === null) return outcome === 'pass'
  const isProbe = draft.plan.gates.some(({ id, kind }) => id === gate && kind === 'probe')
  return outcome === 'wait' && !isProbe
}

function proofSentence({ state }: Draft, index: number): string {
  if (state.advancedStepIndex === index) return 'advanced by a person'
  return `held for ${formatSpan(state.heldMs / 1000)}; ${state.verdicts.map(({ sentence }) => sentence).join('; ')}`
}

function raise(draft: Draft, index: number): void {
  const step = draft.plan.steps[index]
  if (!step) throw new Error(`no step ${index}`)
  const reason = `step ${index + 1} of ${draft.plan.steps.length}`
  intend(draft, {
    weightPercent: step.weightPercent,
    trial: step.trial,
    urgency: 'forward',
    reason,
    evidence: draft.state.verdicts,
  })
}
