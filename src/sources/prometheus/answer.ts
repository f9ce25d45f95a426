import { z } from 'zod'
import { isMissing, type Missing, missing } from '../../core/observation.ts'
import type { SliSpec } from '../../core/plan.ts'
import { groupKey } from '../../ports/source.ts'
import { parseJson } from '../../shared/json.ts'
import type { Sums } from '../counters.ts'
import { inPieces, PIECE_CHARS, type Pieces } from './pieces.ts'

const successBody = z.object({
  status: z.literal('success'),
  data: z.object({ resultType: z.enum(['vector', 'matrix']), result: z.custom<readonly unknown[]>(Array.isArray) }),
  warnings: z.array(z.string()).optional(),
})

const otherForm = z.object({ data: z.object({ resultType: z.enum(['vector', 'matrix', 'scalar', 'string']) }) })

const errorBody = z.object({ status: z.literal('error'), errorType: z.string(), error: z.string() })

const NO_ANSWER = 'not an answer of Prometheus’s API'

/** Seconds since 1970, and the value as text. */
type Point = readonly [seconds: number, value: string]

/** A series of an answer, of one moment or of several. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>
  readonly points: readonly Point[]
}

export interface Answer {
  readonly series: readonly Series[]
  /** The server's own words. */
  readonly warnings: readonly string[]
}

/** An answer whose series are read while they are gone through; null: what stands there is no series. */
export type LargeAnswer = Omit<Answer, 'series'> & { readonly series: Iterable<Series | null> }

/** What a query gives by its path: a vector at one moment, a matrix over a range. */
export type AnswerForm = 'vector' | 'matrix'

/** Reads the text of a successful query of this form. */
export function readText(text: string, form: AnswerForm): LargeAnswer | Missing {
  const pieces = text.length > PIECE_CHARS ? inPieces(text) : null
  if (pieces === null) return readAnswer(parseJson(text), form)
  const answer = readAnswer(pieces.frame, form)
  return isMissing(answer) ? answer : { ...answer, series: { [Symbol.iterator]: () => seriesIn(pieces, form) } }
}

function* seriesIn({ lists }: Pieces, form: AnswerForm): Generator<Series | null> {
  for (const list of lists) yield* (Array.isArray(list) ? seriesOf(list, form) : null) ?? [null]
}

/** Reads the body of a successful query of this form. */
export function readAnswer(body: unknown, form: AnswerForm): Answer | Missing {
  const success = successBody.safeParse(body)
  if (success.success && success.data.data.resultType === form) {
    const series = seriesOf(success.data.data.result, form)
    if (series !== null) return { series, warnings: success.data.warnings ?? [] }
  }
  const other = otherForm.safeParse(body)
  return missing(
    'bad-answer',
    other.success && other.data.data.resultType !== form
      ? `the query gives a ${other.data.data.resultType}, not a ${form}`
      : NO_ANSWER,
  )
}

/**
 * The series of a result; null: one of them is none. Checked by hand: of a large fleet there are hundreds of thousands,
 * and a schema would copy each.
 */
function seriesOf(result: readonly unknown[], form: AnswerForm): readonly Series[] | null {
  const all: Series[] = []
  for (const item of result) {
    if (!isObject(item) || !isMetric(item['metric'])) return null
    const points = form === 'vector' ? [item['value']] : item['values']
    if (!Array.isArray(points) || !points.every(isPoint)) return null
    all.push({ metric: item['metric'], points })
  }
  return all
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null
}

function isMetric(value: unknown): value is Series['metric'] {
  if (!isObject(value)) return false
  for (const label in value) if (typeof value[label] !== 'string') return false
  return true
}

function isPoint(value: unknown): value is Point {
  return Array.isArray(value) && value.length === 2 && typeof value[0] === 'number' && typeof value[1] === 'string'
}

/** Reads the body of a refusal; null: it is not Prometheus that speaks. */
export function readRefusal(body: unknown): { readonly type: string; readonly text: string } | null {
  const parsed = errorBody.safeParse(body)
  return parsed.success ? { type: parsed.data.errorType, text: parsed.data.error } : null
}

/**
 * The values by moment (milliseconds since 1970) and group. `NaN` and infinities stay what they are, for the reader to
 * refuse. A series that lacks one of the labels belongs to no group; without a workload label the cluster alone is it.
 */
export function sumsByMoment(
  series: Iterable<Series | null>,
  labels: SliSpec['labels'],
): ReadonlyMap<number, Sums> | Missing {
  const moments = new Map<number, Map<string, number | Missing>>()
  const places: { readonly atMs: number; readonly sums: Map<string, number | Missing> }[] = []
  let isEmpty = true
  for (const one of series) {
    if (one === null) return missing('bad-answer', NO_ANSWER)
    isEmpty = false
    const key = groupOf(one.metric, labels)
    if (key === null) continue
    for (const [index, [seconds, text]] of one.points.entries()) {
      const atMs = Math.round(seconds * 1000)
      // Most often the series have the same moments: the one at the same place is looked at first.
      let moment = places[index]
      if (moment?.atMs !== atMs) {
        moment = { atMs, sums: moments.get(atMs) ?? new Map() }
        moments.set(atMs, moment.sums)
        places[index] = moment
      }
      putOnce(moment.sums, key, text, labels)
    }
  }
  if (moments.size === 0 && !isEmpty) return missing('bad-answer', noSeries(labels))
  return moments
}

/** The values of one moment by group, and in each by the value of the label `within`. */
export type Parts = ReadonlyMap<string, Sums>

/** As `sumsByMoment`, of an answer of one moment whose groups have several series, told apart by one more label. */
export function partsOf(series: Iterable<Series | null>, labels: SliSpec['labels'], within: string): Parts | Missing {
  const groups = new Map<string, Map<string, number | Missing>>()
  let last: Series['metric'] = {}
  let sums: Map<string, number | Missing> | null = null
  let isEmpty = true
  for (const one of series) {
    if (one === null) return missing('bad-answer', NO_ANSWER)
    isEmpty = false
    const { metric, points } = one
    // Series of a group most often follow each other: one key, then, is made for all of them.
    if (sums === null || !isSameGroup(metric, last, labels)) {
      const key = groupOf(metric, labels)
      if (key === null) continue
      sums = groups.get(key) ?? new Map()
      groups.set(key, sums)
      last = metric
    }
    const [part, point] = [metric[within], points[0]]
    if (part === undefined || point === undefined) continue
    putOnce(sums, part, point[1], labels)
  }
  if (groups.size === 0 && !isEmpty) return missing('bad-answer', noSeries(labels))
  return groups
}

/** A second series for the same is none of them. */
function putOnce(sums: Map<string, number | Missing>, key: string, text: string, labels: SliSpec['labels']): void {
  const before = sums.size
  sums.set(key, numberOf(text))
  if (sums.size === before) sums.set(key, missing('bad-answer', severalSeries(labels)))
}

function isSameGroup(a: Series['metric'], b: Series['metric'], { cluster, workload }: SliSpec['labels']): boolean {
  return a[cluster] === b[cluster] && a[workload] === b[workload]
}

/** null: it belongs to none. */
function groupOf(metric: Series['metric'], labels: SliSpec['labels']): string | null {
  const cluster = metric[labels.cluster]
  const workload = labels.workload === '' ? '' : metric[labels.workload]
  return cluster === undefined || workload === undefined ? null : groupKey(cluster, workload)
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
  const value = Number(text)
  if (value !== 0 && !Number.isNaN(value)) return value
  if (text === '+Inf') return Number.POSITIVE_INFINITY
  if (text === '-Inf') return Number.NEGATIVE_INFINITY
  // An empty text would be taken for 0.
  return text.trim() === '' ? Number.NaN : value
}
