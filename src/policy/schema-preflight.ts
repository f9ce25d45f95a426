import { z } from 'zod'
import { CHECK_IDS, CHECKS, type CheckId, type CheckThen } from '../core/check.ts'
import { about, duration, percent } from '../shared/schema.ts'
import { queryFault, refusePromql } from './promql.ts'
import { text } from './schema-names.ts'

const MINUTE_SECONDS = 60

/** What a policy may say of a check; it looks the same for each. */
function thenSchema(id: CheckId) {
  const { title, usually } = CHECKS[id]
  return z
    .enum(['hold', 'tell', 'off'])
    .optional()
    .meta({ ...about(`${title}: a failure holds, is told alone, or nobody looks`, usually), default: usually })
}

const thenShape = Object.fromEntries(CHECK_IDS.map((id) => [id, thenSchema(id)])) as {
  [Id in CheckId]: ReturnType<typeof thenSchema>
}

/** What is looked at before, and some of it while, a workload's traffic moves. */
export const preflightSchema = z
  .strictObject({
    ...thenShape,
    certificateDays: z
      .int()
      .min(1)
      .max(365)
      .optional()
      .meta({ ...about("A certificate of NEW's ingress with fewer days left fails", 14, 'days'), default: 14 }),
    clockSkew: duration({ minSeconds: 1, maxSeconds: 5 * MINUTE_SECONDS })
      .optional()
      .meta({ ...about('How far the clocks of clusters and sources may be from ours', '5s'), default: '5s' }),
    longestTtl: duration({ minSeconds: 1 })
      .optional()
      .meta({ ...about('The longest TTL that a name may keep while its traffic moves', '5m'), default: '5m' }),
    errorBudgetLeft: percent({ max: 100 })
      .optional()
      .meta({ ...about('What must be left of the error budget of 30 days', '10%'), default: '10%' }),
    mayDiffer: z
      .array(text())
      .optional()
      .meta({ ...about('ConfigMaps that are meant to differ between the clusters', ['cluster-info']), default: [] }),
  })
  .optional()
  .meta(about('What is looked at before a workload moves; all of it only reads', { disruption: 'off', parity: 'tell' }))

export type PreflightSettings = z.output<typeof preflightSchema>

export const statefulSchema = z
  .strictObject({
    acknowledged: text().meta(
      about('How its state is moved, in your words; shown in the journal', 'volumes are copied by velero, see RUN-17'),
    ),
  })
  .optional()
  .meta(about('A workload with volumes starts only if somebody says how its data is moved'))

export const replicationSchema = z
  .strictObject({
    query: text().meta({
      'x-type': 'PromQL',
      ...about('PromQL for how far the data of NEW is behind; of several series the greatest counts', 'pg_lag_seconds'),
    }),
    max: z.number().meta(about('The most that is close enough, in the unit of the query', 5)),
  })
  .superRefine(({ query }, ctx) => {
    const fault = queryFault(query, [], 'optional')
    if (fault) refusePromql(ctx, fault, ['query'])
  })
  .optional()
  .meta(about('Holds the workload while the data of NEW is too far behind', { query: 'pg_lag_seconds', max: 5 }))

export type CheckSetting = CheckThen | 'off'
