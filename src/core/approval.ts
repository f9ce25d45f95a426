import { type Draft, hold, unhold } from './draft.ts'
import { formatPercent, formatSpan } from './format.ts'
import type { Approval } from './plan.ts'
import { isTerminal } from './state.ts'
import { stepLabel } from './step-label.ts'

/** The step after OLD is quiet, at which OLD may be scaled down: the one after the plan's last. */
export function scaleDownIndex({ plan }: Pick<Draft, 'plan'>): number {
  return plan.steps.length
}

/** The step that an approval would be for now; null: none can come. */
export function stepToApprove({ state, plan }: Draft): number | null {
  const { phase } = state
  if (phase.name === 'completed') return scaleDownIndex({ plan })
  if (isTerminal(phase) || phase.name === 'reverting') return null
  return phase.name === 'stepping' ? phase.stepIndex + 1 : 0
}

/** Who must approve this step; null: nobody. */
export function approvalOf({ plan }: Pick<Draft, 'plan'>, index: number): Approval | null {
  if (index === scaleDownIndex({ plan }))
    return plan.capacity?.oldAfterwards?.approval ? { roles: [], expiresSeconds: null } : null
  return plan.steps[index]?.approval ?? null
}

/** Whether a person's word on this step still counts. */
export function isApprovedNow(draft: Draft, index: number): boolean {
  const { approved } = draft.state
  const asked = approvalOf(draft, index)
  if (approved === null || asked === null || approved.stepIndex !== index) return false
  // A clock that went back makes it no younger: it may be asked for again.
  const ageMs = draft.nowMs - approved.atMs
  return asked.expiresSeconds === null || (ageMs >= 0 && ageMs <= asked.expiresSeconds * 1000)
}

/** Whether nobody need approve this step, or somebody has. Otherwise it holds. */
export function followApproval(draft: Draft, index: number, what: string): boolean {
  const asked = approvalOf(draft, index)
  if (asked === null || isApprovedNow(draft, index)) {
    unhold(draft, 'approval', 'approved')
    return true
  }
  const who = asked.roles.length === 0 ? 'a person' : `one of ${asked.roles.join(', ')}`
  const { approved } = draft.state
  const expired =
    approved?.stepIndex === index && asked.expiresSeconds !== null
      ? `; what ${approved.actor} approved has expired after ${formatSpan(asked.expiresSeconds)}`
      : ''
  hold(draft, 'approval', `${what} needs ${who}: \`headgate approve\`${expired}`)
  return false
}

/** What a step's approval is for, in words. */
export function stepInWords({ plan }: Pick<Draft, 'plan'>, index: number): string {
  const label = stepLabel(plan.steps, index)
  return label === formatPercent(plan.steps[index]?.weightPercent ?? 0) ? `the step to ${label}` : `the step "${label}"`
}
