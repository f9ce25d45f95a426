import { onTestFinished } from 'vitest'
import type { SliSpec } from '../../src/core/plan.ts'
import type { AdapterContext } from '../../src/ports/kind.ts'
import type { MetricSource, SliVector } from '../../src/ports/source.ts'
import { prometheusSettings } from '../../src/sources/prometheus/settings.ts'
import { openPrometheus } from '../../src/sources/prometheus/source.ts'
import { adapterContext } from './adapter-context.ts'
import { sliSpec } from './slis.ts'
import { type Answer, answering, type WebRequest } from './web-server.ts'

/** A series of an instant vector: its labels, and its value as Prometheus prints it. */
export type AnswerSeries = readonly [metric: Readonly<Record<string, string>>, value: string]

/** Answers every query with this vector, at the time that was asked for. */
export function answeringVector(series: readonly AnswerSeries[], warnings: readonly string[] = []): Answer {
  return (response, request) => {
    const time = Number(fieldsOf(request).get('time'))
    const result = series.map(([metric, value]) => ({ metric, value: [time, value] }))
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify({ status: 'success', data: { resultType: 'vector', result }, warnings }))
  }
}

/** Refuses as Prometheus does. */
export function refusing(status: number, errorType: string, error: string): Answer {
  return answering(status, JSON.stringify({ status: 'error', errorType, error }))
}

/** The form that was posted. */
export function fieldsOf({ body }: WebRequest): URLSearchParams {
  return new URLSearchParams(body)
}

/** The source `prometheus` with these settings, as a config gives them; it is closed when the test is over. */
export function testSource(
  url: string,
  settings: Readonly<Record<string, unknown>> = {},
  context: AdapterContext = adapterContext(),
): MetricSource {
  const source = openPrometheus(prometheusSettings.parse({ url, ...settings }), context)
  onTestFinished(() => source.close())
  return source
}

/** An SLI of one query alone. */
export const VALUE_SLI = sliSpec({ kind: 'value', value: 'cpu', windowSeconds: 60 })

/** One poll of one SLI. */
export async function pollOnce(
  source: MetricSource,
  sli: SliSpec = VALUE_SLI,
  signal: AbortSignal = AbortSignal.timeout(120_000),
): Promise<SliVector | undefined> {
  return (await source.poll([sli], { sinceMs: 90_000, atMs: 100_000 }, signal)).get(sli)
}
