import { readFileSync } from 'node:fs'
import { Agent, buildConnector, request } from 'undici'
import type { Missing } from '../core/observation.ts'
import { problem } from '../core/problem.ts'
import type { AdapterContext } from '../ports/kind.ts'
import { type AuthSettings, authorizationOf } from '../shared/http-auth.ts'
import { codeOf } from '../shared/text.ts'
import { failureOf } from './failure.ts'
import type { TlsSettings } from './settings.ts'

/** How many requests are under way at once; the others wait. */
const CONNECTIONS = 8

/** How a source is asked over HTTP. */
export interface HttpSettings {
  readonly auth?: AuthSettings | undefined
  /** A key in a header of its own; the secret is a reference. */
  readonly key?: { readonly header: string; readonly prefix: string; readonly secret: string } | undefined
  readonly tls?: TlsSettings | undefined
  readonly timeoutSeconds: number
  readonly maxBytes: number
}

export interface HttpQuestion {
  readonly method: 'GET' | 'POST'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface HttpAnswer {
  readonly status: number
  readonly text: string
  /** Its Date header; null: it sent none. */
  readonly date: string | null
  /** Struck out of all that is kept of the server's own words: a debugging proxy may echo what was sent. */
  readonly secrets: readonly string[]
}

/** A server of evidence. Its answers are bounded in time and size; no method throws. */
export interface HttpPeer {
  /**
   * With `take`, an answer of success is handed over in the parts in which it comes, and its `text` is empty: one that is
   * large need not be there as a whole. What was taken counts only if the answer is not missing.
   */
  ask(question: HttpQuestion, signal: AbortSignal, take?: (chunk: Uint8Array) => void): Promise<HttpAnswer | Missing>
  close(): Promise<void>
}

/** Opens it. The first connection is made by the first question; redirects are not followed. */
export function openHttp(settings: HttpSettings, context: AdapterContext): HttpPeer {
  const { timeoutSeconds, maxBytes } = settings
  const agent = new Agent({
    connections: CONNECTIONS,
    pipelining: 1,
    maxResponseSize: maxBytes,
    connect: connector(settings),
  })
  return {
    async ask({ method, url, headers, body }, signal, take) {
      try {
        const credentials = authorizationOf(settings.auth, context.secret)
        const key = keyOf(settings, context)
        const answer = await request(url, {
          method,
          dispatcher: agent,
          signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutSeconds * 1000)]),
          headers: {
            ...headers,
            ...context.tracer.headers(),
            ...(credentials && { authorization: credentials.header }),
            ...key?.headers,
          },
          ...(body !== undefined && { body }),
        })
        const date = typeof answer.headers['date'] === 'string' ? answer.headers['date'] : null
        const text = take && isSuccess(answer.statusCode) ? await handOver(answer.body, take) : await answer.body.text()
        return {
          status: answer.statusCode,
          text,
          date,
          secrets: [...(credentials?.secrets ?? []), ...(key?.secrets ?? [])],
        }
      } catch (error) {
        return failureOf(error, { signal, timeoutSeconds, maxBytes })
      }
    },
    close: () => agent.destroy(),
  }
}

/** True for a status that says so. */
export function isSuccess(status: number): boolean {
  return status >= 200 && status < 300
}

async function handOver(body: AsyncIterable<Uint8Array>, take: (chunk: Uint8Array) => void): Promise<''> {
  for await (const chunk of body) take(chunk)
  return ''
}

function keyOf({ key }: HttpSettings, context: AdapterContext) {
  if (key === undefined) return null
  const secret = context.secret(key.secret)
  return { headers: { [key.header]: `${key.prefix}${secret}` }, secrets: [secret] }
}

/** Certificates are read at each new connection: short-lived ones are replaced under a running process. */
function connector({ tls = {}, timeoutSeconds }: HttpSettings): buildConnector.connector {
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
