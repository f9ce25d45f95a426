import { type Missing, missing } from '../../core/observation.ts'
import type { SliSpec } from '../../core/plan.ts'

/** A query in the source's own language, and the labels that its answer is read by. */
export interface PeriodQuery {
  readonly text: string
  readonly labels: SliSpec['labels']
}

/** A series of an answer. */
export interface PeriodSeries {
  /** Whose it is, by `groupKey`; null: it lacks one of the labels. */
  readonly group: string | null
  /** When each period begins, ms since 1970, rising, and what happened in it; a period without data has no point. */
  readonly points: readonly (readonly [beginMs: number, value: number])[]
}

/** From the begin of the first period to the end of the last, ms since 1970, both at borders of periods. */
export interface PeriodSpan {
  readonly fromMs: number
  readonly toMs: number
  readonly periodSeconds: number
}

export type PeriodAnswer = readonly PeriodSeries[] | Missing

/** Asks for all queries at once, one answer each in their order. Never throws. */
export type AskPeriods = (
  queries: readonly PeriodQuery[],
  span: PeriodSpan,
  signal: AbortSignal,
) => Promise<readonly PeriodAnswer[]>

/** As `AskPeriods`, with equal queries sent once, and looked up by their text and labels. */
export async function askDistinct(
  ask: AskPeriods,
  queries: readonly PeriodQuery[],
  span: PeriodSpan,
  signal: AbortSignal,
): Promise<(query: PeriodQuery) => PeriodAnswer> {
  const distinct = new Map(queries.map((query) => [keyOf(query), query]))
  const answers = await ask([...distinct.values()], span, signal)
  const byKey = new Map([...distinct.keys()].map((key, index) => [key, answers[index]]))
  return (query) => byKey.get(keyOf(query)) ?? UNANSWERED
}

/**
 * Repeats what was said of the very same periods: between two borders every tick asks about the same ones, and each call
 * costs money or quota. What is missing, or empty, is asked for again: it may only be late.
 */
export function remembering(ask: AskPeriods): AskPeriods {
  let remembered = { about: '', answers: new Map<string, PeriodAnswer>() }
  return async (queries, span, signal) => {
    if (signal.aborted) return queries.map(() => missing('timeout', 'the deadline of the sweep came first'))
    const about = `${span.fromMs} ${span.toMs} ${span.periodSeconds}`
    const known = remembered.about === about ? remembered.answers : new Map<string, PeriodAnswer>()
    const open = queries.filter((query) => !known.has(keyOf(query)))
    const fresh = open.length === 0 ? [] : await ask(open, span, signal)
    const answers = new Map(open.map((query, index) => [keyOf(query), fresh[index] ?? UNANSWERED]))
    const good = [...answers].filter(([, answer]) => isSeries(answer) && answer.length > 0)
    remembered = { about, answers: new Map([...known, ...good]) }
    return queries.map((query) => known.get(keyOf(query)) ?? answers.get(keyOf(query)) ?? UNANSWERED)
  }
}

export const UNANSWERED = missing('bad-answer', 'a query was left without an answer')

export function isSeries(answer: PeriodAnswer | undefined): answer is readonly PeriodSeries[] {
  return Array.isArray(answer)
}

function keyOf({ text, labels }: PeriodQuery): string {
  return JSON.stringify([text, labels.cluster, labels.workload])
}
