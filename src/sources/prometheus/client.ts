import { isMissing, type Missing, missing } from '../../core/observation.ts'
import type { AdapterContext } from '../../ports/kind.ts'
import { parseJson } from '../../shared/json.ts'
import { clause } from '../../shared/text.ts'
import { type HttpPeer, openHttp } from '../http.ts'
import { type AnswerForm, type LargeAnswer, readRefusal, readText } from './answer.ts'
import type { PrometheusSettings } from './settings.ts'

/** Prometheus's query API. No method throws. */
export interface PrometheusClient {
  instant(query: string, atMs: number, signal: AbortSignal): Promise<LargeAnswer | Missing>
  /** `fromMs` and `toMs` are both in the answer; at most 11,000 points a series, by Prometheus's own bound. */
  range(query: string, span: RangeSpan, signal: AbortSignal): Promise<LargeAnswer | Missing>
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
    instant: (query, atMs, signal) =>
      post(`${api}/query`, { query, time: seconds(atMs) }, { ...call, form: 'vector', signal }),
    range: (query, { fromMs, toMs, stepMs }, signal) => {
      const span = { start: seconds(fromMs), end: seconds(toMs), step: seconds(stepMs) }
      return post(`${api}/query_range`, { query, ...span }, { ...call, form: 'matrix', signal })
    },
    clockAheadMs: (signal) => clockAheadMs(`${api}/query`, { ...call, form: 'vector', signal }),
    close: () => peer.close(),
  }
}

interface Call {
  readonly settings: PrometheusSettings
  readonly context: AdapterContext
  readonly peer: HttpPeer
  readonly form: AnswerForm
  readonly signal: AbortSignal
}

async function post(url: string, fields: Record<string, string>, call: Call): Promise<LargeAnswer | Missing> {
  const sent = await send(url, fields, call)
  return isMissing(sent) ? sent : readResponse(sent.status, sent.text, { form: call.form, secrets: sent.secrets })
}

/** A header with whole seconds is on average half a second old when it is sent. */
async function clockAheadMs(url: string, call: Call): Promise<number | Missing> {
  const { clock } = call.context
  const askedMs = clock.nowMs()
  const sent = await send(url, { query: 'vector(0)' }, call)
  if (isMissing(sent)) return sent
  const theirMs = Date.parse(sent.date ?? '')
  if (Number.isNaN(theirMs)) return missing('bad-answer', 'its answers carry no date')
  return theirMs + 500 - (askedMs + clock.nowMs()) / 2
}

/** POST, since a query may be longer than a URL. */
function send(url: string, fields: Record<string, string>, { settings, peer, signal }: Call) {
  const { timeoutSeconds, tenant } = settings
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    ...(tenant !== undefined && { 'x-scope-orgid': tenant }),
  }
  const body = new URLSearchParams({ ...fields, timeout: `${timeoutSeconds}s` }).toString()
  return peer.ask({ method: 'POST', url, headers, body }, signal)
}

interface Reading {
  readonly form: AnswerForm
  /** Struck out of all that is kept of the server's own words: a debugging proxy may echo what was sent. */
  readonly secrets: readonly string[]
}

function readResponse(status: number, text: string, { form, secrets }: Reading): LargeAnswer | Missing {
  const isSuccess = status >= 200 && status < 300
  if (isSuccess) {
    const answer = readText(text, form)
    return isMissing(answer) ? answer : { ...answer, warnings: answer.warnings.map((said) => clause(said, secrets)) }
  }
  const refusal = readRefusal(parseJson(text))
  // A body that is not Prometheus's own, a proxy's page say, is not repeated: nobody knows what it holds.
  if (refusal === null) return missing(status >= 500 ? 'unreachable' : 'refused', `status ${status}`)
  const isLate = refusal.type === 'timeout' || refusal.type === 'canceled'
  return missing(isLate ? 'timeout' : status >= 500 ? 'unreachable' : 'refused', clause(refusal.text, secrets))
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3)
}
