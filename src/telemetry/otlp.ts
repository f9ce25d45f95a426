import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { Agent, request } from 'undici'
import { Problem } from '../core/problem.ts'
import type { TracingConfig } from '../policy/config.ts'
import type { AdapterContext } from '../ports/kind.ts'
import { readBounded } from '../shared/body.ts'
import { GuardedAddressError, guardedConnector } from '../shared/guard.ts'
import { clause, codeOf } from '../shared/text.ts'
import type { SpanDelivery } from './span-queue.ts'

const MAX_ANSWER_BYTES = 64 * 1024
/** Those that the protocol says to try again: https://opentelemetry.io/docs/specs/otlp/#failures-1. */
const RETRYABLE: readonly number[] = [429, 502, 503, 504]
/** What a person must mend first: credentials, the path. */
const MENDABLE: readonly number[] = [401, 403, 404, 405, 407]

/** Writes spans as OTLP, and reads what a receiver answered to that. */
export interface SpanWriter {
  serializeRequest(spans: ReadableSpan[]): Uint8Array | undefined
  deserializeResponse(data: Uint8Array): { readonly partialSuccess?: { readonly rejectedSpans?: number } }
}

/** Sends spans by OTLP over HTTP, never to a guarded address unless it is allowed. */
export class OtlpSender {
  readonly #agent: Agent
  readonly #to: TracingConfig
  readonly #writer: SpanWriter
  readonly #secret: AdapterContext['secret']

  constructor(to: TracingConfig, writer: SpanWriter, secret: AdapterContext['secret']) {
    this.#agent = new Agent({ allowH2: false, connections: 1, connect: guardedConnector(to.allowAddresses) })
    this.#to = to
    this.#writer = writer
    this.#secret = secret
  }

  async send(spans: readonly ReadableSpan[], signal: AbortSignal): Promise<SpanDelivery> {
    const { url, encoding, headers } = this.#to
    try {
      // Read anew for each request: a rotated one counts from the next.
      const secrets = Object.entries(headers).map(([name, reference]) => [name, this.#secret(reference)] as const)
      const body = this.#writer.serializeRequest([...spans])
      if (body === undefined) return { outcome: 'refused', detail: 'the spans cannot be written as OTLP' }
      const answer = await request(url, {
        dispatcher: this.#agent,
        method: 'POST',
        headers: {
          ...Object.fromEntries(secrets),
          'content-type': encoding === 'json' ? 'application/json' : 'application/x-protobuf',
          'user-agent': 'headgate',
        },
        body,
        signal,
      })
      const bytes = await readBounded(answer.body, MAX_ANSWER_BYTES, 'latin1')
      if (bytes === null) return later(`answered ${answer.statusCode} with more than ${MAX_ANSWER_BYTES} bytes`)
      if (answer.statusCode >= 200 && answer.statusCode < 300)
        return { outcome: 'exported', refused: this.#rejected(bytes) }
      const said = clause(bytes, secretsIn(secrets))
      const detail = `answered ${answer.statusCode}${said === '' ? '' : `: ${said}`}`
      const isLater = [...RETRYABLE, ...MENDABLE].includes(answer.statusCode)
      return isLater ? later(detail, secondsOf(answer.headers['retry-after'])) : { outcome: 'refused', detail }
    } catch (error) {
      if (error instanceof Problem) return later(error.message)
      if (error instanceof GuardedAddressError)
        return later(`${error.message}: it is not asked, unless \`allowAddresses\` has it`)
      return later(signal.aborted ? 'no whole answer in time' : `no answer (${codeOf(error)})`)
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  /** How many spans the receiver says that it did not take; an answer in another form says nothing of it. */
  #rejected(latin1: string): number {
    if (latin1 === '') return 0
    try {
      return Number(this.#writer.deserializeResponse(Buffer.from(latin1, 'latin1')).partialSuccess?.rejectedSpans ?? 0)
    } catch {
      return 0
    }
  }
}

/** A header's value, and what follows its scheme: a receiver may repeat either. */
function secretsIn(headers: readonly (readonly [string, string])[]): readonly string[] {
  return headers.flatMap(([, value]) => [value, ...value.split(' ').slice(1)]).filter((part) => part !== '')
}

function later(detail: string, retryAfterSeconds: number | null = null): SpanDelivery {
  return { outcome: 'later', detail, retryAfterSeconds }
}

/** null: it does not say, or as a date. */
function secondsOf(retryAfter: string | string[] | undefined): number | null {
  return typeof retryAfter === 'string' && /^\d{1,6}$/.test(retryAfter) ? Number(retryAfter) : null
}
