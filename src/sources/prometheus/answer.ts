import { z } from 'zod'
import { type Missing, missing } from '../../core/observation.ts'
import type { SliSpec } from '../../core/plan.ts'
import { groupKey } from '../../ports/source.ts'
import type { Sums } from '../counters.ts'

/** One moment of an answer: seconds since 1970, and the value as text. */
const point = z.tuple([z.number(), z.string()])
const metric = z.record(z.string(), z.string())
const notes = { warnings: z.array(z.string()).optional() }

const vectorBody = z.object({
  status: z.literal('success'),
  data: z.object({ resultType: z.literal('vector'), result: z.array(z.object({ metric, value: point })) }),
  ...notes,
})

const matrixBody = z.object({
  status: z.literal('success'),
  data: z.object({
    resultType: z.literal('matrix'),
    result: z.array(z.object({ metric, values: z.array(point) })),
  }),
  ...notes,
})

const otherForm = z.object({ data: z.object({ resultType: z.enum(['vector', 'matrix', 'scalar', 'string']) }) })

const errorBody = z.object({ status: z.literal('error'), errorType: z.string(), error: z.string() })

/** A series of an answer, of one moment or of several. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>
  readonly points: readonly (readonly [seconds: number, value: string])[]
}

export interface Answer {
  readonly series: readonly Series[]
  /** The server's own words. */
  readonly warnings: readonly string[]
}

/** What a query gives by its path: a vector at one moment, a matrix over a range. */
export type AnswerForm = 'vector' | 'matrix'

/** Reads the body of a successful query of this form. */
export function readAnswer(body: unknown, form: AnswerForm): Answer | Missing {
  const series = form === 'vector' ? readVector(body) : readMatrix(body)
  if (series !== null) return series
  const other = otherForm.safeParse(body)
  return missing(
    'bad-answer',
    other.success && other.data.data.resultType !== form
      ? `the query gives a ${other.data.data.resultType}, not a ${form}`
      : 'not an answer of Prometheus’s API',
  )
}

function readVector(body: unknown): Answer | null {
  const parsed = vectorBody.safeParse(body)
  if (!parsed.success) return null
  const { data, warnings = [] } = parsed.data
  return { series: data.result.map(({ metric, value }) => ({ metric, points: [value] })), warnings }
}

function readMatrix(body: unknown): Answer | null {
  const parsed = matrixBody.safeParse(body)
  if (!parsed.success) return null
  const { data, warnings = [] } = parsed.data
  return { series: data.result.map(({ metric, values }) => ({ metric, points: values })), warnings }
}

/** Reads the body of a refusal; null: it is not Prometheus that speaks. */
export function readRefusal(body: unknown): { readonly type: string; readonly text: string } | null {
  const parsed = errorBody.safeParse(body)
  return parsed.success ? { type: parsed.data.errorType, text: parsed.data.error } : null
}

/**
 * The values by moment (milliseconds since 1970) and group; with `within`, by that label's value in each group, see
 * `splitKey`. `NaN` and infinities stay what they are, for the reader to refuse. A series that lacks one of the labels
 * belongs to no group; without a workload label the cluster alone is the group.
 */
export function sumsByMoment(
  series: readonly Series[],
  labels: SliSpec['labels'],
  within: string | null = null,
): ReadonlyMap<number, Sums> | Missing {
  const moments = new Map<number, Map<string, number | Missing>>()
  for (const { metric, points } of series) {
    const cluster = metric[labels.cluster]
    const workload = labels.workload === '' ? '' : metric[labels.workload]
    if (cluster === undefined || workload === undefined) continue
    const part = within === null ? null : metric[within]
    if (part === undefined) continue
    const group = groupKey(cluster, workload)
    const key = part === null ? group : `${group}${SEPARATOR}${part}`
    for (const [seconds, text] of points) {
      const atMs = Math.round(seconds * 1000)
      const sums = moments.get(atMs) ?? new Map<string, number | Missing>()
      moments.set(atMs, sums)
      sums.set(key, sums.has(key) ? missing('bad-answer', severalSeries(labels)) : numberOf(text))
    }
  }
  if (moments.size === 0 && series.length > 0) return missing('bad-answer', noSeries(labels))
  return moments
}

const SEPARATOR = '\u0000'

/** The group, and the value of the label within it. */
export function splitKey(key: string): readonly [group: string, part: string] {
  const end = key.lastIndexOf(SEPARATOR)
  return [key.slice(0, end), key.slice(end + 1)]
}

function noSeries({ cluster, workload }: SliSpec['labels']): string {
  return workload === ''
    ? `no series has the label ${cluster}`
    : `no series has both labels, ${cluster} and ${workload}`
}

function severalSeries({ cluster, workload }: SliSpec['labels']): string {
  if (workload === '') return `several series for one cluster: write sum by (${cluster})`
  return `several series for one workload: write sum by (${cluster}, ${workload})`
}

function numberOf(text: string): number {
  if (text === '+Inf') return Number.POSITIVE_INFINITY
  if (text === '-Inf') return Number.NEGATIVE_INFINITY
  // An empty text would be taken for 0.
  return text.trim() === '' ? Number.NaN : Number(text)
}
