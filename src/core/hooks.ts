import { askRevert } from './asked-revert.ts'
import { type Draft, HEADGATE, hold, unhold } from './draft.ts'
import type { PlanStep } from './plan.ts'
import { runTask } from './run-tasks.ts'
import { type Hook, type HookPoint, warmSeconds } from './task.ts'
import { includesWeight, sameWeight } from './weights.ts'

/** What came of the tasks of a place. `held`: one has failed, and holds. */
export type TasksOutcome = 'done' | 'busy' | 'held' | 'reverting'

/** Runs the plan's hooks of a point, all at once. `index`: the step that it is about; null: none. */
export function runHooks(draft: Draft, at: HookPoint, index: number | null): TasksOutcome {
  const hooks = draft.plan.hooks.filter((hook) => hook.at === at && isAbout(draft, hook, index))
  const ended = hooks.map((hook) => {
    const key = index === null ? `${at}/${hook.id}` : `${at}/${index + 1}/${hook.id}`
    const { task: spec, tries, deadlineSeconds } = hook
    const weightPercent = index === null ? undefined : draft.plan.steps[index]?.weightPercent
    return {
      hook,
      key,
      outcome: runTask(draft, { key, point: at, name: hook.id, weightPercent, spec, tries, deadlineSeconds }),
    }
  })
  const failed = ended.filter(({ hook, outcome }) => outcome === 'failed' && hook.then !== 'go-on')
  const reason = failed
    .map(({ hook, key }) => `hook ${hook.id} failed: ${draft.state.tasks[key]?.detail ?? ''}`)
    .join('; ')
  if (failed.length > 0) {
    const mayRevert = at !== 'after-revert' && draft.state.intendedWeightPercent > draft.plan.safeWeightPercent
    const isRevert = mayRevert && failed.some(({ hook }) => hook.then === 'revert')
    const refusal = isRevert ? askRevert(draft, reason, HEADGATE) : null
    if (isRevert && refusal === null) return 'reverting'
    const but = refusal === null ? '' : `; but ${refusal.message}`
    hold(draft, 'hook', `${reason}${but}; \`retry\` has it done again`)
    return 'held'
  }
  unhold(draft, 'hook', 'every hook passed, or runs again')
  return ended.some(({ outcome }) => outcome === null) ? 'busy' : 'done'
}

/** Whether the step's requests at NEW, that no user waits for, have been answered: once its weight is in force. */
export function isWarm(draft: Draft, { warm }: PlanStep, index: number): boolean {
  if (warm === null || draft.state.advancedStepIndex === index) return true
  if (draft.state.inForceAtMs === null) return false
  const key = `warm/${index + 1}`
  const outcome = runTask(draft, { key, point: 'warm', spec: warm, tries: 1, deadlineSeconds: warmSeconds(warm) })
  if (outcome === 'failed')
    hold(draft, 'hook', `warming up failed: ${draft.state.tasks[key]?.detail ?? ''}; \`retry\` has it done again`)
  return outcome === 'passed'
}

function isAbout({ plan }: Draft, { weightsPercent }: Hook, index: number | null): boolean {
  const weight = index === null ? undefined : plan.steps[index]?.weightPercent
  if (index === null || weightsPercent === null || weight === undefined) return true
  // Those that wait, warm or ask there are not about it once more.
  const before = plan.steps[index - 1]?.weightPercent ?? 0
  return !sameWeight(before, weight) && includesWeight(weightsPercent, weight)
}
