import { formatNumber } from '../../core/format.ts'
import { isMissing, type Missing, missing } from '../../core/observation.ts'
import type { Plan } from '../../core/plan.ts'
import { groupKey } from '../../ports/source.ts'
import { defineCheck, type Finding, fail, pass, unseen } from '../check.ts'

const LABELS = { cluster: 'headgate_lag', workload: 'headgate_of' }

export const replication = defineCheck({
  skip: ({ checkRules }, { hasPromql }) => {
    if (checkRules.replication === null) return 'the workload names no replication'
    return hasPromql ? null : 'no source answers PromQL'
  },
  ask: async ({ checkRules }, world): Promise<number | Missing> => {
    const values = await world.values(lagQuery(checkRules.replication?.query ?? ''), LABELS)
    if (isMissing(values)) return values
    return values.get(groupKey('lag', 'all')) ?? missing('empty', 'the query gives no series')
  },
  judge: judgeReplication,
})

/** The greatest of all series counts; the two labels make it one group. */
export function lagQuery(query: string): string {
  // A comment at the query's end must not swallow the bracket.
  const most = `max(${query}\n)`
  return `label_replace(label_replace(${most}, "headgate_lag", "lag", "", ""), "headgate_of", "all", "", "")`
}

/** NEW has the data of OLD, or nearly. */
export function judgeReplication(lag: number | Missing, { checkRules }: Pick<Plan, 'checkRules'>): Finding {
  const max = checkRules.replication?.max ?? 0
  if (typeof lag !== 'number') return unseen('the lag of the replicas', lag)
  if (!Number.isFinite(lag)) return unseen('the lag of the replicas', missing('not-a-number', `the query gives ${lag}`))
  const told = `${formatNumber(lag)}, at most ${formatNumber(max)}`
  return lag > max
    ? fail(`the data of NEW is too far behind: ${told}`, 'let the replicas catch up, and see what slows them')
    : pass(`the data of NEW is close behind: ${told}`)
}
