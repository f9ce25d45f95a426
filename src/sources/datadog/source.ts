import { missing } from '../../core/observation.ts'
import type { AdapterContext } from '../../ports/kind.ts'
import type { MetricSource } from '../../ports/source.ts'
import type { PeriodQuery, PeriodSpan } from '../periods/ask.ts'
import { type AskBatch, inBatches } from '../periods/batches.ts'
import { openPeriods } from '../periods/source.ts'
import { readTimeseries } from './answer.ts'
import { createDatadogClient } from './client.ts'
import type { DatadogSettings } from './settings.ts'

/** Queries in one call. */
const QUERIES_A_CALL = 20
/** Datadog makes periods longer where a series would have more than 1,500 points ("Rollup" in its documentation). */
const MAX_PERIODS = 1400

/** Evidence from Datadog's metrics. */
export function openDatadog(settings: DatadogSettings, context: AdapterContext): MetricSource {
  const client = createDatadogClient(settings, context)
  const askBatch: AskBatch = async (batch, span, signal) => {
    const call = { endpoint: 'timeseries', path: '/api/v2/query/timeseries', body: bodyOf(batch, span) }
    const sent = await client.call(call, signal)
    if (sent.kind === 'body') return readTimeseries(sent.body, batch, span.periodSeconds)
    const isQueryAtFault = sent.status === 400 || sent.status === 422
    return { kind: isQueryAtFault ? 'refused' : 'failed', why: missing(sent.why, sent.detail) }
  }
  return openPeriods(inBatches(askBatch, QUERIES_A_CALL), {
    kind: 'datadog',
    periodSeconds: settings.periodSeconds,
    ingestDelaySeconds: settings.ingestDelaySeconds,
    maxPeriods: MAX_PERIODS,
    close: () => client.close(),
  })
}

/** `from` and `to` in ms; a formula for each query, since an answer knows the formulas' indexes alone. */
function bodyOf(batch: readonly PeriodQuery[], { fromMs, toMs, periodSeconds }: PeriodSpan): object {
  const names = batch.map((_, index) => `q${index}`)
  return {
    data: {
      type: 'timeseries_request',
      attributes: {
        from: fromMs,
        to: toMs,
        interval: periodSeconds * 1000,
        queries: batch.map(({ text }, index) => ({ data_source: 'metrics', name: names[index], query: text })),
        formulas: names.map((formula) => ({ formula })),
      },
    },
  }
}
