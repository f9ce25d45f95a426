import { isMissing, type Missing, missing } from '../../core/observation.ts'
import type { AdapterContext } from '../../ports/kind.ts'
import { parseJson } from '../../shared/json.ts'
import { clause } from '../../shared/text.ts'
import { type HttpPeer, type HttpQuestion, isSuccess, openHttp } from '../http.ts'
import { type AnswerForm, answerReader, readRefusal, type Said, type TakeSeries } from './answer.ts'
import type { PrometheusSettings } from './settings.ts'

/** Prometheus's query API. No method throws. What `take` was given counts only if the answer is not missing. */
export interface PrometheusClient {
  instant(query: string, atMs: number, take: TakeSeries, signal: AbortSignal): Promise<Said | Missing>
  /** `fromMs` and `toMs` are both in the answer; at most 11,000 points a series, by Prometheus's own bound. */
  range(query: string, span: RangeSpan, take: TakeSeries, signal: AbortSignal): Promise<Said | Missing>
  /** How far its clock is ahead of ours, ms, to a second: by the Date header of an answer. */
  clockAheadMs(signal: AbortSignal): Promise<number | Missing>
  close(): Promise<void>
}

export interface RangeSpan {
  readonly fromMs: number
  readonly toMs: number
  readonly stepMs: number
}

/** Opens a client. The first connection is made by the first query. */
export function createClient(settings: PrometheusSettings, context: AdapterContext): PrometheusClient {
  const peer = openHttp(settings, context)
  const api = `${settings.url.replace(/\/+$/, '')}/api/v1`
  const call = { settings, context, peer }
  return {
    instant: (query, atMs, take, signal) =>
      post(`${api}/query`, { query, time: seconds(atMs) }, { ...call, form: 'vector', take, signal }),
    range: (query, { fromMs, toMs, stepMs }, take, signal) => {
      const span = { start: seconds(fromMs), end: seconds(toMs), step: seconds(stepMs) }
      return post(`${api}/query_range`, { query, ...span }, { ...call, form: 'matrix', take, signal })
    },
    clockAheadMs: (signal) => clockAheadMs(`${api}/query`, { ...call, signal }),
    close: () => peer.close(),
  }
}

interface Call {
  readonly settings: PrometheusSettings
  readonly context: AdapterContext
  readonly peer: HttpPeer
  readonly signal: AbortSignal
}

interface Reading {
  readonly form: AnswerForm
  readonly take: TakeSeries
}

async function post(url: string, fields: Record<string, string>, call: Call & Reading): Promise<Said | Missing> {
  const reader = answerReader(call.form, call.take)
  const sent = await call.peer.ask(questionOf(url, fields, call), call.signal, (chunk) => reader.add(chunk))
  if (isMissing(sent)) return sent
  const { status, text, secrets } = sent
  if (!isSuccess(status)) return refusalOf(status, text, secrets)
  const said = reader.end()
  return isMissing(said) ? said : { warnings: said.warnings.map((warning) => clause(warning, secrets)) }
}

/** A header with whole seconds is on average half a second old when it is sent. */
async function clockAheadMs(url: string, call: Call): Promise<number | Missing> {
  const { clock } = call.context
  const askedMs = clock.nowMs()
  const sent = await call.peer.ask(questionOf(url, { query: 'vector(0)' }, call), call.signal)
  if (isMissing(sent)) return sent
  const theirMs = Date.parse(sent.date ?? '')
  if (Number.isNaN(theirMs)) return missing('bad-answer', 'its answers carry no date')
  return theirMs + 500 - (askedMs + clock.nowMs()) / 2
}

/** POST, since a query may be longer than a URL. */
function questionOf(url: string, fields: Record<string, string>, { settings }: Call): HttpQuestion {
  const { timeoutSeconds, tenant } = settings
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    ...(tenant !== undefined && { 'x-scope-orgid': tenant }),
  }
  const body = new URLSearchParams({ ...fields, timeout: `${timeoutSeconds}s` }).toString()
  return { method: 'POST', url, headers, body }
}

/** `secrets` are struck out of all that is kept of the server's own words: a debugging proxy may echo what was sent. */
function refusalOf(status: number, text: string, secrets: readonly string[]): Missing {
  const refusal = readRefusal(parseJson(text))
  // A body that is not Prometheus's own, a proxy's page say, is not repeated: nobody knows what it holds.
  if (refusal === null) return missing(status >= 500 ? 'unreachable' : 'refused', `status ${status}`)
  const isLate = refusal.type === 'timeout' || refusal.type === 'canceled'
  return missing(isLate ? 'timeout' : status >= 500 ? 'unreachable' : 'refused', clause(refusal.text, secrets))
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3)
}
