import { type Missing, missing } from '../../core/observation.ts'
import { mapBounded } from '../../shared/bounded.ts'
import { type AskPeriods, type PeriodAnswer, type PeriodQuery, type PeriodSpan, UNANSWERED } from './ask.ts'

/** What came of one call: answers in the order of the queries, or one reason for all of them. */
export type BatchAnswer =
  | { readonly kind: 'answers'; readonly answers: readonly PeriodAnswer[] }
  | { readonly kind: 'failed'; readonly why: Missing }
  /** A query of the call is at fault, and nobody says which. */
  | { readonly kind: 'refused'; readonly why: Missing }

export type AskBatch = (batch: readonly PeriodQuery[], span: PeriodSpan, signal: AbortSignal) => Promise<BatchAnswer>

/** Calls under way at once. */
const CALLS_AT_ONCE = 4
/** Refused queries that are remembered. */
const MAX_APART = 200

/**
 * Puts up to `size` queries into each call. One refused query refuses its whole call: then each is asked alone, and the
 * ones that are refused again stay apart from the others, so that they blind nobody else.
 */
export function inBatches(askBatch: AskBatch, size: number): AskPeriods {
  const apart = new Set<string>()

  const askOne = async (query: PeriodQuery, span: PeriodSpan, signal: AbortSignal): Promise<PeriodAnswer> => {
    const said = await askBatch([query], span, signal)
    if (said.kind === 'answers') {
      apart.delete(query.text)
      return said.answers[0] ?? UNANSWERED
    }
    if (said.kind === 'refused') {
      if (apart.size >= MAX_APART) apart.clear()
      apart.add(query.text)
    }
    return said.why
  }

  const askMany = async (batch: readonly PeriodQuery[], span: PeriodSpan, signal: AbortSignal) => {
    const [only, ...others] = batch
    if (only && others.length === 0) return [await askOne(only, span, signal)]
    const said = await askBatch(batch, span, signal)
    if (said.kind === 'answers') return batch.map((_, index) => said.answers[index] ?? UNANSWERED)
    if (said.kind === 'failed') return batch.map(() => said.why)
    return mapBounded(batch, CALLS_AT_ONCE, (query) => askOne(query, span, signal))
  }

  return async (queries, span, signal) => {
    if (signal.aborted) return queries.map(() => missing('timeout', 'the deadline of the sweep came first'))
    const alone = queries.filter(({ text }) => apart.has(text)).map((query) => [query])
    const others = queries.filter(({ text }) => !apart.has(text))
    const together = Array.from({ length: Math.ceil(others.length / size) }, (_, index) =>
      others.slice(index * size, (index + 1) * size),
    )
    const batches = [...together, ...alone]
    const said = await mapBounded(batches, CALLS_AT_ONCE, (batch) => askMany(batch, span, signal))
    const pairs = batches.flatMap((batch, index) =>
      batch.map((query, at): [PeriodQuery, PeriodAnswer] => [query, said[index]?.[at] ?? UNANSWERED]),
    )
    const answers = new Map(pairs)
    return queries.map((query) => answers.get(query) ?? UNANSWERED)
  }
}
