import { change, type Draft, emit } from './draft.ts'

/** From now on this very plan holds for the rollout. One that is pinned stays so. */
export function pinPlan(draft: Draft): void {
  const { plan, state } = draft
  if (state.planHash !== null) return
  change(draft, { planHash: plan.hash, startedAtMs: draft.nowMs })
  const steps = plan.steps.map(({ weightPercent, trial }) => ({ weightPercent, trial }))
  emit(draft, { type: 'plan-pinned', planHash: plan.hash, policy: plan.policy, steps })
}
