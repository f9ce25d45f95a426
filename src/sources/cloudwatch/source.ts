import type { CloudWatch, GetMetricDataInput, GetMetricDataOutput } from '@aws-sdk/client-cloudwatch'
import { missing } from '../../core/observation.ts'
import type { MetricSource } from '../../ports/source.ts'
import { AwsClients } from '../../shared/aws.ts'
import { byDeadline } from '../../shared/deadline.ts'
import type { PeriodQuery, PeriodSpan } from '../periods/ask.ts'
import { type AskBatch, type BatchAnswer, inBatches } from '../periods/batches.ts'
import { openPeriods } from '../periods/source.ts'
import { idOf, readPages } from './answer.ts'
import { failureOf } from './failure.ts'
import { labelFor } from './label.ts'
import type { CloudwatchSettings } from './settings.ts'

/** "GetMetricData" in CloudWatch's API reference: queries in one call, and points in one page. */
const QUERIES_A_CALL = 500
const POINTS_A_PAGE = 100_800
/** More pages are no answer that anybody waits for. */
const MAX_PAGES = 20
const MAX_PERIODS = 1440

const clients = new AwsClients<CloudWatch>(async (options) => {
  const sdk = await import('@aws-sdk/client-cloudwatch')
  return new sdk.CloudWatch(options)
})

/** Evidence from the metrics of CloudWatch. */
export function openCloudwatch(settings: CloudwatchSettings): MetricSource {
  const { periodSeconds, ingestDelaySeconds, timeoutSeconds, names } = settings
  const lease = clients.lease(settings)
  const askBatch: AskBatch = async (batch, span, signal) => {
    const ended = AbortSignal.any([signal, AbortSignal.timeout(timeoutSeconds * 1000)])
    const late = (): BatchAnswer => failureOf(ended.reason, signal, timeoutSeconds)
    const asked = askPages(() => lease.client(), inputOf(batch, span), ended)
    // No SDK lets the signal end its search for credentials.
    return byDeadline(
      asked.then(
        (pages) => (pages === null ? TOO_MUCH : readPages(pages, batch, names)),
        (error: unknown) => failureOf(error, signal, timeoutSeconds),
      ),
      ended,
      late,
    )
  }
  return openPeriods(inBatches(askBatch, QUERIES_A_CALL), {
    kind: 'cloudwatch',
    periodSeconds,
    ingestDelaySeconds,
    maxPeriods: MAX_PERIODS,
    close: async () => lease.close(),
  })
}

const TOO_MUCH: BatchAnswer = {
  kind: 'failed',
  why: missing('bad-answer', `the answer has more than ${MAX_PAGES} pages`),
}

/** null: there are more pages than anybody reads. */
async function askPages(
  client: () => Promise<CloudWatch>,
  input: GetMetricDataInput,
  abortSignal: AbortSignal,
): Promise<readonly GetMetricDataOutput[] | null> {
  const cloudwatch = await client()
  const pages: GetMetricDataOutput[] = []
  let NextToken: string | undefined
  do {
    if (pages.length === MAX_PAGES) return null
    const page = await cloudwatch.getMetricData(
      { ...input, ...(NextToken !== undefined && { NextToken }) },
      { abortSignal },
    )
    pages.push(page)
    NextToken = page.NextToken
  } while (NextToken !== undefined && NextToken !== '')
  return pages
}

function inputOf(batch: readonly PeriodQuery[], { fromMs, toMs, periodSeconds }: PeriodSpan): GetMetricDataInput {
  return {
    StartTime: new Date(fromMs),
    EndTime: new Date(toMs),
    ScanBy: 'TimestampAscending',
    MaxDatapoints: POINTS_A_PAGE,
    MetricDataQueries: batch.map(({ text, labels }, index) => ({
      Id: idOf(index),
      Expression: text.replaceAll('$period', String(periodSeconds)),
      Label: labelFor(labels),
      Period: periodSeconds,
    })),
  }
}
