import { formatCount, formatPercent } from '../../core/format.ts'
import { addCounts, type Counts, isMissing, type Missing, NO_COUNTS } from '../../core/observation.ts'
import type { Plan, SliSpec } from '../../core/plan.ts'
import { groupKey } from '../../ports/source.ts'
import type { Spent } from '../budget-memory.ts'
import { defineCheck, type Finding, fail, pass, skipped, unseen } from '../check.ts'

export interface SeenBudget {
  readonly sli: string
  readonly objectivePercent: number
  /** Of 30 days and both clusters; null: the source remembers nothing of it. */
  readonly counts: Counts | Missing | null
}

export const errorBudget = defineCheck({
  skip: ({ slis }) => (slis.some(hasObjective) ? null : 'no SLI of the workload has an objective'),
  ask: (plan, world): Promise<readonly SeenBudget[]> =>
    Promise.all(
      plan.slis.filter(hasObjective).map(async (spec) => {
        const spent = await world.spent(spec)
        const { name: sli, objectivePercent } = spec
        return { sli, objectivePercent, counts: spent === null || 'kind' in spent ? spent : countsOf(spent, plan) }
      }),
    ),
  judge: judgeErrorBudget,
})

function hasObjective(spec: SliSpec): spec is SliSpec & { objectivePercent: number } {
  return spec.objectivePercent !== null
}

/** Users don't care which cluster failed them. */
function countsOf(spent: Spent, { clusters, workload }: Plan): Counts | Missing | null {
  let sum = NO_COUNTS
  for (const cluster of Object.values(clusters)) {
    const counts = spent.get(groupKey(cluster, workload)) ?? NO_COUNTS
    if (isMissing(counts)) return counts
    sum = addCounts(sum, counts)
  }
  return sum.total > 0 ? sum : null
}

/** Enough of the month's error budget is left to risk a migration. */
export function judgeErrorBudget(seen: readonly SeenBudget[], { checkRules }: Pick<Plan, 'checkRules'>): Finding {
  const known = seen.flatMap(({ sli, objectivePercent, counts }) => {
    if (counts === null || isMissing(counts)) return []
    const budget = (counts.total * (100 - objectivePercent)) / 100
    // Rounded: 100 − 99.9 is a little less than 0.1 to a computer.
    const leftPercent = Math.round(1e8 * (1 - counts.bad / budget)) / 1e6
    const of = `${formatCount(counts.bad)} of ${formatCount(counts.total)} requests were bad in 30 days`
    return [{ leftPercent, told: `${leftText(leftPercent)} of the error budget of ${sli} is left: ${of}` }]
  })
  const short = known.filter(({ leftPercent }) => leftPercent < checkRules.errorBudgetPercent)
  if (short.length > 0)
    return fail(
      `${short.map(({ told }) => told).join('; ')}; at least ${formatPercent(checkRules.errorBudgetPercent)} is wanted`,
      'wait until the bad days are 30 days ago, or lower `preflight.errorBudgetLeft` if the risk is worth it',
    )
  for (const { sli, counts } of seen) if (counts !== null && isMissing(counts)) return unseen(sli, counts)
  return known.length === 0
    ? skipped('the source remembers no requests of it')
    : pass(known.map(({ told }) => told).join('; '))
}

function leftText(leftPercent: number): string {
  return leftPercent < 0 ? 'nothing' : formatPercent(leftPercent)
}
