import type { GetMetricDataOutput, MessageData, MetricDataResult } from '@aws-sdk/client-cloudwatch'
import { type Missing, missing } from '../../core/observation.ts'
import { clause } from '../../shared/text.ts'
import type { PeriodAnswer, PeriodQuery, PeriodSeries } from '../periods/ask.ts'
import type { BatchAnswer } from '../periods/batches.ts'
import { joinParts } from '../periods/parts.ts'
import { groupOf } from './label.ts'
import type { CloudwatchSettings } from './settings.ts'

/** The id of a query in a call, by its place. */
export function idOf(index: number): string {
  return `q${index}`
}

/** Reads all pages of an answer, in the order of the queries. */
export function readPages(
  pages: readonly GetMetricDataOutput[],
  queries: readonly PeriodQuery[],
  names: CloudwatchSettings['names'],
): BatchAnswer {
  // Of the whole call: that there was more than it may hold, say. What is left out would look like absence. Fewer may fit.
  const message = pages.flatMap(({ Messages = [] }) => Messages)[0]
  if (message) return { kind: queries.length > 1 ? 'refused' : 'failed', why: partial(message) }
  return {
    kind: 'answers',
    answers: queries.map((query, index) => {
      const results = pages.map(({ MetricDataResults = [] }) =>
        MetricDataResults.filter(({ Id }) => Id === idOf(index)),
      )
      return readResults(results, query, names)
    }),
  }
}

function readResults(
  pages: readonly (readonly MetricDataResult[])[],
  { labels }: PeriodQuery,
  names: CloudwatchSettings['names'],
): PeriodAnswer {
  const faults = pages.flatMap((results, index) => results.map((one) => faultOf(one, index === pages.length - 1)))
  const fault = faults.find((one) => one !== null)
  if (fault) return fault
  const parts = pages.map((results) =>
    results.flatMap(({ Label = '', Timestamps = [], Values = [] }): PeriodSeries[] => {
      const points = Timestamps.map((at, index): [number, number] => [at.getTime(), Values[index] ?? Number.NaN])
      return points.length === 0 ? [] : [{ group: groupOf(Label, labels, names), points }]
    }),
  )
  return joinParts(parts)
}

/** Why the data of a series cannot be relied on; null: it can. */
function faultOf({ StatusCode, Messages = [] }: MetricDataResult, isLastPage: boolean): Missing | null {
  const [message] = Messages
  if (StatusCode === 'Forbidden') return missing('refused', 'CloudWatch does not allow the metrics of another account')
  if (StatusCode === 'InternalError') return missing('unreachable', 'CloudWatch has trouble with this query')
  if (message) return partial(message)
  // The next page has the rest; of an expression there may be none.
  return StatusCode === 'PartialData' && isLastPage ? missing('bad-answer', 'CloudWatch gave only a part') : null
}

function partial({ Code = 'a message', Value = '' }: MessageData): Missing {
  return missing('bad-answer', clause(`CloudWatch gave only a part: ${Code} ${Value}`, []))
}
