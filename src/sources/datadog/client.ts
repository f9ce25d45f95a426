import { Agent, request } from 'undici'
import { type Missing, missing } from '../../core/observation.ts'
import type { AdapterContext } from '../../ports/kind.ts'
import { parseJson } from '../../shared/json.ts'
import { clause } from '../../shared/text.ts'
import { failureOf } from '../failure.ts'
import { refusalOf } from './answer.ts'
import { createRates } from './rates.ts'
import type { DatadogSettings } from './settings.ts'

/** How many calls are under way at once; the others wait. */
const CONNECTIONS = 4

/** An endpoint of Datadog's API; its limits are of its own. */
export interface DatadogCall {
  /** For its rate limit: calls of one endpoint have one limit. */
  readonly endpoint: string
  /** With its query part. */
  readonly path: string
  /** Sent as JSON by POST; null: a GET. */
  readonly body: object | null
}

/** A failed call; `status` is the API's own, null where it gave none. */
export type DatadogFailure = Missing & { readonly status: number | null }

export interface DatadogClient {
  /** The parsed body of a success. Never throws. */
  call(
    call: DatadogCall,
    signal: AbortSignal,
  ): Promise<{ readonly kind: 'body'; readonly body: unknown } | DatadogFailure>
  close(): Promise<void>
}

/** Opens a client. The first connection is made by the first call. */
export function createDatadogClient(settings: DatadogSettings, { clock, secret }: AdapterContext): DatadogClient {
  const { timeoutSeconds, maxBytes } = settings
  const agent = new Agent({ connections: CONNECTIONS, pipelining: 1, maxResponseSize: maxBytes, allowH2: false })
  const base = (settings.url ?? `https://api.${settings.site}`).replace(/\/+$/, '')
  const rates = createRates(() => clock.nowMs())
  return {
    async call({ endpoint, path, body }, signal) {
      if (signal.aborted) return failed(missing('timeout', 'the deadline of the sweep came first'))
      const waitSeconds = rates.waitSeconds(endpoint)
      if (waitSeconds !== null) return failed(tooOften(waitSeconds), 429)
      try {
        const keys = [secret(settings.apiKey), secret(settings.appKey)] as const
        const response = await request(`${base}${path}`, {
          method: body === null ? 'GET' : 'POST',
          dispatcher: agent,
          signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutSeconds * 1000)]),
          headers: {
            accept: 'application/json',
            'dd-api-key': keys[0],
            'dd-application-key': keys[1],
            ...(body !== null && { 'content-type': 'application/json' }),
          },
          body: body === null ? null : JSON.stringify(body),
        })
        const { statusCode: status, headers } = response
        rates.note(endpoint, status, headers)
        const read = parseJson(await response.body.text())
        if (status >= 200 && status < 300) return { kind: 'body', body: read }
        if (status === 429) return failed(tooOften(rates.waitSeconds(endpoint) ?? 1), status)
        const said = refusalOf(read)
        const told = said === null ? `status ${status}` : clause(said, keys)
        return failed(missing(status >= 500 ? 'unreachable' : 'refused', told), status)
      } catch (error) {
        return failed(failureOf(error, { signal, timeoutSeconds, maxBytes }))
      }
    },
    close: () => agent.destroy(),
  }
}

function failed(why: Missing, status: number | null = null): DatadogFailure {
  return { ...why, status }
}

function tooOften(seconds: number): Missing {
  return missing('refused', `Datadog’s rate limit is used up; it is asked again in ${seconds} s`)
}
