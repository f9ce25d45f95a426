import { Agent, request } from 'undici'
import type { z } from 'zod'
import { type Problem, problem } from '../../core/problem.ts'
import type { AdapterContext } from '../../ports/kind.ts'
import { readBounded } from '../../shared/body.ts'
import { parseJson } from '../../shared/json.ts'
import { connectionProblem } from '../failure.ts'
import { Tokens } from './auth.ts'
import type { GoogleCloudDnsAccount } from './settings.ts'
import { errorAnswer } from './wire.ts'

/** A page of 1,000 record sets with long values and signatures is some 2 MB. */
const MAX_ANSWER_BYTES = 16 * 1024 * 1024
const TIMEOUT_MS = 15_000
const MAX_WORDS = 300

/** Why a call failed. */
export interface GoogleFailure {
  readonly problem: Problem
  /** What one record set of a change would have been refused for alone: the others may be tried without it. */
  readonly isOfOneChange: boolean
  /** Somebody else's write came between, where the failure says so. */
  readonly isConflict: boolean
  /** Which record set of the change it was, counted from 0; null: Google did not say. */
  readonly index: number | null
}

export type Answer<T> = { readonly ok: true; readonly value: T } | ({ readonly ok: false } & GoogleFailure)

export interface Call<Shape extends z.ZodType> {
  readonly method: 'GET' | 'POST'
  /** Behind the managed zone's own path. */
  readonly path: string
  readonly query?: Readonly<Record<string, string>>
  readonly body?: unknown
  readonly answer: Shape
}

/** Talks to one managed zone by the REST API, over connections that are kept. Never retries. */
export class GoogleDnsClient {
  readonly #base: string
  readonly #tokens: Tokens
  readonly #agent = new Agent({ allowH2: false })

  constructor(
    place: { readonly project: string; readonly zone: string },
    account: GoogleCloudDnsAccount,
    secret: AdapterContext['secret'],
  ) {
    const [project, zone] = [encodeURIComponent(place.project), encodeURIComponent(place.zone)]
    this.#base = `${account.endpoint}/dns/v1/projects/${project}/managedZones/${zone}`
    this.#tokens = new Tokens(account, secret)
  }

  /** Never rejects. */
  async call<Shape extends z.ZodType>(call: Call<Shape>, signal: AbortSignal): Promise<Answer<z.output<Shape>>> {
    try {
      return await this.#send(call, AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]))
    } catch (error) {
      return failure(connectionProblem('Google Cloud DNS', error, signal))
    }
  }

  close(): Promise<void> {
    return this.#agent.destroy()
  }

  async #send<Shape extends z.ZodType>(
    { method, path, query = {}, body, answer: shape }: Call<Shape>,
    signal: AbortSignal,
  ): Promise<Answer<z.output<Shape>>> {
    const token = await this.#tokens.next(signal)
    const answer = await request(`${this.#base}${path}`, {
      dispatcher: this.#agent,
      method,
      query,
      headers: {
        accept: 'application/json',
        authorization: `Bearer ${token}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      body: body === undefined ? null : JSON.stringify(body),
      signal,
    })
    const text = await readBounded(answer.body, MAX_ANSWER_BYTES)
    if (text === null) return failure(badAnswer(`an answer of more than ${MAX_ANSWER_BYTES} bytes`))
    if (answer.statusCode !== 200) return refusal(answer.statusCode, text.replaceAll(token, '***'))
    const parsed = shape.safeParse(parseJson(text))
    if (parsed.success) return { ok: true, value: parsed.data }
    return failure(badAnswer(`Google Cloud DNS answered ${method} ${path} with something else`))
  }
}

function failure(why: Problem, more: Partial<GoogleFailure> = {}): Answer<never> {
  return { ok: false, problem: why, isOfOneChange: false, isConflict: false, index: null, ...more }
}

/** What an answer other than 200 means, in Google's own words. */
function refusal(status: number, text: string): Answer<never> {
  const parsed = errorAnswer.safeParse(parseJson(text))
  const reasons = parsed.success ? parsed.data.error.errors.map(({ reason }) => reason) : []
  const words = parsed.success ? parsed.data.error.message.slice(0, MAX_WORDS) : ''
  const cause = `Google Cloud DNS answered ${status}${words === '' ? '' : `: ${words}`}`
  const index = /entity\.change\.(?:additions|deletions)\[(\d+)\]/.exec(words)?.[1]
  const ofChange = { isOfOneChange: true, index: index === undefined ? null : Number(index) }
  if (status === 429 || reasons.some((reason) => /rateLimitExceeded$/i.test(reason)))
    return failure(problem('TRAFFIC_THROTTLED', cause))
  if (status === 409 || status === 412)
    return failure(problem('TRAFFIC_CONFLICT', cause), { ...ofChange, isConflict: true })
  // A record set that a change deletes is gone; anything else that is not there is the zone or the project.
  if (status === 404 && index !== undefined)
    return failure(problem('TRAFFIC_CONFLICT', cause), { ...ofChange, isConflict: true })
  if (status === 404) return failure(problem('TRAFFIC_NOT_FOUND', cause))
  if (status === 400 || reasons.includes('quotaExceeded')) return failure(problem('TRAFFIC_REFUSED', cause), ofChange)
  if (status === 401) return failure(problem('TRAFFIC_NO_CREDENTIALS', cause))
  if (status === 403) return failure(problem('TRAFFIC_FORBIDDEN', cause))
  if (status >= 500) return failure(problem('TRAFFIC_UNREACHABLE', cause))
  if (status < 400) return failure(badAnswer(`${cause}; redirects are not followed`))
  return failure(problem('TRAFFIC_REFUSED', cause))
}

function badAnswer(cause: string): Problem {
  return problem('TRAFFIC_BAD_ANSWER', cause, { hint: 'check what answers at `endpoint`, and proxies on the way' })
}
