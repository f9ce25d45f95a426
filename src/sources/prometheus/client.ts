import { readFileSync } from 'node:fs'
import { Agent, buildConnector, request } from 'undici'
import { isMissing, type Missing, missing } from '../../core/observation.ts'
import { problem } from '../../core/problem.ts'
import type { AdapterContext } from '../../ports/kind.ts'
import { authorizationOf } from '../../shared/http-auth.ts'
import { clause, codeOf } from '../../shared/text.ts'
import { failureOf } from '../failure.ts'
import { type Answer, type AnswerForm, readAnswer, readRefusal } from './answer.ts'
import type { PrometheusSettings } from './settings.ts'

/** How many queries are under way at once; the others wait. */
const CONNECTIONS = 8

/** Prometheus's query API. No method throws. */
export interface PrometheusClient {
  instant(query: string, atMs: number, signal: AbortSignal): Promise<Answer | Missing>
  /** `fromMs` and `toMs` are both in the answer; at most 11,000 points a series, by Prometheus's own bound. */
  range(query: string, span: RangeSpan, signal: AbortSignal): Promise<Answer | Missing>
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
  const agent = new Agent({
    connections: CONNECTIONS,
    pipelining: 1,
    maxResponseSize: settings.maxBytes,
    connect: connector(settings),
  })
  const api = `${settings.url.replace(/\/+$/, '')}/api/v1`
  const call = { settings, context, agent }
  return {
    instant: (query, atMs, signal) =>
      post(`${api}/query`, { query, time: seconds(atMs) }, { ...call, form: 'vector', signal }),
    range: (query, { fromMs, toMs, stepMs }, signal) => {
      const span = { start: seconds(fromMs), end: seconds(toMs), step: seconds(stepMs) }
      return post(`${api}/query_range`, { query, ...span }, { ...call, form: 'matrix', signal })
    },
    clockAheadMs: (signal) => clockAheadMs(`${api}/query`, { ...call, form: 'vector', signal }),
    close: () => agent.destroy(),
  }
}

interface Call {
  readonly settings: PrometheusSettings
  readonly context: AdapterContext
  readonly agent: Agent
  readonly form: AnswerForm
  readonly signal: AbortSignal
}

async function post(url: string, fields: Record<string, string>, call: Call): Promise<Answer | Missing> {
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

interface Sent {
  readonly status: number
  readonly text: string
  /** Its Date header; null: it sent none. */
  readonly date: string | null
  readonly secrets: readonly string[]
}

/** POST, since a query may be longer than a URL. */
async function send(url: string, fields: Record<string, string>, call: Call): Promise<Sent | Missing> {
  const { settings, context, agent, signal } = call
  const { timeoutSeconds, maxBytes } = settings
  try {
    const credentials = authorizationOf(settings.auth, context.secret)
    const { statusCode, headers, body } = await request(url, {
      method: 'POST',
      dispatcher: agent,
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutSeconds * 1000)]),
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        ...(credentials && { authorization: credentials.header }),
        ...(settings.tenant !== undefined && { 'x-scope-orgid': settings.tenant }),
      },
      body: new URLSearchParams({ ...fields, timeout: `${timeoutSeconds}s` }).toString(),
    })
    const date = typeof headers['date'] === 'string' ? headers['date'] : null
    return { status: statusCode, text: await body.text(), date, secrets: credentials?.secrets ?? [] }
  } catch (error) {
    return failureOf(error, { signal, timeoutSeconds, maxBytes })
  }
}

interface Reading {
  readonly form: AnswerForm
  /** Struck out of all that is kept of the server's own words: a debugging proxy may echo what was sent. */
  readonly secrets: readonly string[]
}

function readResponse(status: number, text: string, { form, secrets }: Reading): Answer | Missing {
  const body = parseJson(text)
  const isSuccess = status >= 200 && status < 300
  if (isSuccess) {
    const answer = readAnswer(body, form)
    return isMissing(answer) ? answer : { ...answer, warnings: answer.warnings.map((said) => clause(said, secrets)) }
  }
  const refusal = readRefusal(body)
  // A body that is not Prometheus's own, a proxy's page say, is not repeated: nobody knows what it holds.
  if (refusal === null) return missing(status >= 500 ? 'unreachable' : 'refused', `status ${status}`)
  const isLate = refusal.type === 'timeout' || refusal.type === 'canceled'
  return missing(isLate ? 'timeout' : status >= 500 ? 'unreachable' : 'refused', clause(refusal.text, secrets))
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // Not JSON is no exception here: the reader calls it a bad answer.
    return undefined
  }
}

/** Certificates are read at each new connection: short-lived ones are replaced under a running process. */
function connector({ tls = {}, timeoutSeconds }: PrometheusSettings): buildConnector.connector {
  const { ca, cert, key, serverName } = tls
  return (options, callback) => {
    try {
      const connect = buildConnector({
        allowH2: false,
        timeout: timeoutSeconds * 1000,
        ...(ca !== undefined && { ca: readPem(ca) }),
        ...(cert !== undefined && { cert: readPem(cert) }),
        ...(key !== undefined && { key: readPem(key) }),
        ...(serverName !== undefined && { servername: serverName }),
      })
      connect(options, callback)
    } catch (error) {
      callback(error instanceof Error ? error : new Error('no connection', { cause: error }), null)
    }
  }
}

function readPem(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw problem('CONFIG_FILE_UNREADABLE', `${path} cannot be read: ${codeOf(error)}`, { from: error })
  }
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(3)
}
