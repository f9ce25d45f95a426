import { z } from 'zod'
import { missing } from '../../core/observation.ts'
import { groupKey } from '../../ports/source.ts'
import type { PeriodAnswer, PeriodQuery, PeriodSeries } from '../periods/ask.ts'
import type { BatchAnswer } from '../periods/batches.ts'

/** "Query timeseries data across multiple products" of Datadog's API reference; a value of null is no point. */
const timeseriesBody = z.object({
  data: z.object({
    attributes: z.object({
      times: z.array(z.number()).nullish(),
      series: z.array(z.object({ group_tags: z.array(z.string()).nullish(), query_index: z.number() })).nullish(),
      values: z.array(z.array(z.number().nullable())).nullish(),
    }),
  }),
})

const refusalBody = z.union([
  z.object({ errors: z.array(z.string()).min(1) }),
  z.object({ errors: z.string().min(1) }),
  z.object({ errors: z.array(z.object({ title: z.string().optional(), detail: z.string().optional() })).min(1) }),
])

/** What Datadog says of a refusal; null: it is not Datadog that speaks, and nobody knows what the body holds. */
export function refusalOf(body: unknown): string | null {
  const parsed = refusalBody.safeParse(body)
  if (!parsed.success) return null
  const { errors } = parsed.data
  if (typeof errors === 'string') return errors
  return errors.map((one) => (typeof one === 'string' ? one : (one.detail ?? one.title ?? 'an error'))).join('; ')
}

/** Reads the answers to these queries, in their order. */
export function readTimeseries(body: unknown, queries: readonly PeriodQuery[], periodSeconds: number): BatchAnswer {
  const parsed = timeseriesBody.safeParse(body)
  if (!parsed.success) return failed('not an answer of Datadog’s API')
  const { times, series, values } = parsed.data.data.attributes
  const [moments, rows, columns] = [times ?? [], series ?? [], values ?? []]
  if (rows.length !== columns.length || columns.some((column) => column.length !== moments.length))
    return failed('series and values of the answer do not fit together')
  // Points of other periods than those asked for would be counts of other times.
  if (moments.some((atMs) => atMs % (periodSeconds * 1000) !== 0))
    return failed(`its points do not begin at whole periods of ${periodSeconds} s`)
  const answers: PeriodSeries[][] = queries.map(() => [])
  for (const [row, { group_tags, query_index }] of rows.entries()) {
    const query = queries[query_index]
    if (!query) return failed('an answer to a query that was not asked')
    const points = moments.flatMap((atMs, index): [number, number][] => {
      const value = columns[row]?.[index] ?? null
      return value === null ? [] : [[atMs, value]]
    })
    const group = groupOf(group_tags ?? [], query.labels)
    answers[query_index]?.push({ group, points: points.sort(([a], [b]) => a - b) })
  }
  return { kind: 'answers', answers: answers satisfies PeriodAnswer[] }
}

function groupOf(tags: readonly string[], { cluster, workload }: PeriodQuery['labels']): string | null {
  // What follows the first colon is the value.
  const tagOf = (name: string) => tags.find((tag) => tag.startsWith(`${name}:`))?.slice(name.length + 1)
  const [owner, name] = [tagOf(cluster), workload === '' ? '' : tagOf(workload)]
  return owner === undefined || name === undefined ? null : groupKey(owner, name)
}

function failed(detail: string): BatchAnswer {
  return { kind: 'failed', why: missing('bad-answer', detail) }
}
