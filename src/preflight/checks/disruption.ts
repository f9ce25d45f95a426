import { isMissing, type Missing } from '../../core/observation.ts'
import type { Plan, Side, Sides } from '../../core/plan.ts'
import type { ClusterWorkload, DisruptionBudget } from '../../ports/cluster.ts'
import { defineCheck, type Finding, fail, listed, objectsOf, pass, unseen, withoutObjects } from '../check.ts'
import { askBoth, bothOf, type SeenWorkloads } from './both.ts'

export interface SeenBudgets {
  readonly workloads: SeenWorkloads
  readonly budgets: Sides<readonly DisruptionBudget[] | Missing>
}

export const disruption = defineCheck({
  skip: withoutObjects,
  ask: async (plan, world): Promise<SeenBudgets> => {
    const objects = objectsOf(plan)
    const ask = (side: Side) => world.disruptionBudgets(side, objects[side].namespace)
    const [workloads, old, fresh] = await Promise.all([askBoth(plan, world), ask('old'), ask('new')])
    return { workloads, budgets: { old, new: fresh } }
  },
  judge: judgeDisruption,
})

/** What keeps OLD's pods from being drained all at once keeps NEW's from it too, and still lets nodes be drained. */
export function judgeDisruption({ workloads, budgets }: SeenBudgets, plan: Plan): Finding {
  const both = bothOf(workloads, plan)
  if ('outcome' in both) return both
  if (isMissing(budgets.old)) return unseen('pod disruption budgets of OLD', budgets.old)
  if (isMissing(budgets.new)) return unseen('pod disruption budgets of NEW', budgets.new)
  const [old, fresh] = [matching(budgets.old, both.old), matching(budgets.new, both.new)]
  if (fresh.length === 0)
    return old.length === 0
      ? pass('neither cluster has a pod disruption budget for it')
      : fail(`OLD has ${names(old)}, NEW has no pod disruption budget for it`, 'make one in NEW, with its labels')
  const stuck = fresh.filter(({ disruptionsAllowed }) => disruptionsAllowed === 0)
  if (stuck.length > 0 && old.every(({ disruptionsAllowed }) => disruptionsAllowed > 0))
    return fail(
      `${names(stuck)} of NEW allows no disruption now`,
      'no node can be drained: see minAvailable and the pods',
    )
  return pass(`NEW has ${names(fresh)}`)
}

function names(budgets: readonly DisruptionBudget[]): string {
  return listed(budgets.map(({ name }) => name))
}

/** Expressions are not read: what has some may well match. */
function matching(budgets: readonly DisruptionBudget[], { podLabels }: ClusterWorkload): readonly DisruptionBudget[] {
  return budgets.filter(({ matchLabels }) =>
    Object.entries(matchLabels).every(([label, value]) => podLabels[label] === value),
  )
}
