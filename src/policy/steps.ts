import type { PlanStep, Trial } from '../core/plan.ts'
import type { WarmTask } from '../core/task.ts'
import type { StepSettings } from './schema-steps.ts'

/** Steps as a plan has them. One that moves nothing leaves weight and trial as the step before has them: 0 % at first. */
export function planSteps(steps: readonly StepSettings[]): readonly PlanStep[] {
  let weightPercent = 0
  let trial: Trial | null = null
  return steps.map((step): PlanStep => {
    const { weight, marked, mirror, wait, warm, hold, approval } = step
    if (weight !== undefined) {
      weightPercent = weight
      trial = null
    }
    if (marked === true) trial = { kind: 'marked' }
    if (mirror !== undefined) trial = { kind: 'mirror', percent: mirror }
    return {
      weightPercent,
      trial,
      warm: warm === undefined ? null : warmTask(warm),
      holdSeconds: wait ?? hold ?? 0,
      approval: approvalOf(approval),
    }
  })
}

/** The probes are the workload's: its plan puts them in. */
function warmTask({ requests, perSecond, pass }: NonNullable<StepSettings['warm']>): WarmTask {
  return { kind: 'warm', requests, perSecond, passPercent: pass, probes: [] }
}

function approvalOf(approval: StepSettings['approval']): PlanStep['approval'] {
  if (approval === false) return null
  if (approval === true) return { roles: [], expiresSeconds: null }
  return { roles: approval.roles, expiresSeconds: approval.expires ?? null }
}
