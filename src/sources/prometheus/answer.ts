import { z } from 'zod'
import { isMissing, type Missing, missing } from '../../core/observation.ts'
import { Cutter } from './pieces.ts'

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

/** What an answer says beside its series. */
export interface Said {
  /** The server's own words. */
  readonly warnings: readonly string[]
}

export interface Answer extends Said {
  readonly series: readonly Series[]
}

/** What a query gives by its path: a vector at one moment, a matrix over a range. */
export type AnswerForm = 'vector' | 'matrix'

/** Takes the series of an answer, some at a time, in order. They count only once it is known to be a whole one. */
export type TakeSeries = (series: readonly Series[]) => void

/** Reads the bytes of a successful query while they come. */
export interface AnswerReader {
  add(chunk: Uint8Array): void
  /** After the last bytes. */
  end(): Said | Missing
}

/** Begins to read an answer of this form. */
export function answerReader(form: AnswerForm, take: TakeSeries): AnswerReader {
  let isBad = false
  const cutter = new Cutter({
    isHead: (frame) => !isMissing(readAnswer(frame, form)),
    take(list) {
      const series = Array.isArray(list) ? seriesOf(list, form) : null
      if (series === null) isBad = true
      else take(series)
    },
  })
  return {
    add: (chunk) => cutter.add(chunk),
    end() {
      const rest = readAnswer(cutter.end(), form)
      if (isMissing(rest)) return rest
      if (isBad) return missing('bad-answer', NO_ANSWER)
      take(rest.series)
      return { warnings: rest.warnings }
    },
  }
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
