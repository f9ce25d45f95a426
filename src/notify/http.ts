import { Agent, request } from 'undici'
import { z } from 'zod'
import { Problem } from '../core/problem.ts'
import type { Channel, Delivery, Notification } from '../ports/channel.ts'
import { readBounded } from '../shared/body.ts'
import { GuardedAddressError, guardedConnector, parseRange } from '../shared/guard.ts'
import { about, refuse } from '../shared/schema.ts'
import { clause, codeOf } from '../shared/text.ts'

const MAX_ANSWER_BYTES = 64 * 1024
const LONGEST_RETRY_SECONDS = 3600

/** Shorter parts of a URL are words such as `services`. */
const SHORTEST_SECRET = 6

/** Statuses that are about this very body: sending it again would give the same. */
const UNFIT: readonly number[] = [400, 413, 422]

/** One request, by default a POST of JSON. */
export interface Post {
  readonly method?: 'GET' | 'POST' | 'PATCH'
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  /** null: none. */
  readonly body: string | null
  /** What an answer may repeat, and nobody may see. */
  readonly secrets: readonly string[]
}

/** An answer of 2xx, or what came of it instead. */
export type Posted =
  | { readonly body: string }
  /** The status is null where there was no answer. */
  | { readonly delivery: Delivery; readonly status: number | null }

/** Posts to one kind of API, never to a guarded address unless it is allowed. */
export class Poster {
  readonly #agent: Agent

  constructor(allowAddresses: readonly string[] = []) {
    this.#agent = new Agent({ allowH2: false, connect: guardedConnector(allowAddresses) })
  }

  async post({ method = 'POST', url, headers, body, secrets }: Post, signal: AbortSignal): Promise<Posted> {
    // A secret may be the address itself, so that nobody has looked at it yet.
    if (!isHttpUrl(url)) return unanswered('the URL that the secret holds is none of http or https')
    try {
      const answer = await request(url, {
        dispatcher: this.#agent,
        method,
        headers: {
          accept: '*/*',
          ...(body !== null && { 'content-type': 'application/json' }),
          'user-agent': 'headgate',
          ...headers,
        },
        body,
        signal,
      })
      const text = await readBounded(answer.body, MAX_ANSWER_BYTES)
      const { statusCode } = answer
      const answered = (delivery: Delivery): Posted => ({ delivery, status: statusCode })
      if (text === null) return answered(later(`answered ${statusCode} with more than ${MAX_ANSWER_BYTES} bytes`))
      if (statusCode >= 200 && statusCode < 300) return { body: text }
      const said = clause(text, secrets)
      const detail = `answered ${statusCode}${said === '' ? '' : `: ${said}`}`
      if (UNFIT.includes(statusCode)) return answered({ outcome: 'refused', detail })
      if (statusCode >= 300 && statusCode < 400)
        return answered(later(`answered ${statusCode}; a redirect is not followed`))
      return answered(later(detail, secondsOf(answer.headers['retry-after'])))
    } catch (error) {
      if (error instanceof GuardedAddressError)
        return unanswered(`${error.message}: it is not asked, unless \`allowAddresses\` has it`)
      return unanswered(signal.aborted ? 'no whole answer in time' : `no answer (${codeOf(error)})`)
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy()
  }
}

function unanswered(detail: string): Posted {
  return { delivery: later(detail), status: null }
}

/** A delivery that is to be tried again. */
export function later(detail: string, retryAfterSeconds: number | null = null): Delivery {
  return { outcome: 'later', detail, retryAfterSeconds }
}

export const ACCEPTED: Delivery = { outcome: 'accepted' }

/** A post, and what an answer of 2xx to it means where that alone is no acceptance. */
export interface JudgedPost extends Post {
  readonly judge?: (body: string) => Delivery
}

/**
 * A channel that makes posts of a notification and sends them one after the other. When one is not taken all are sent again: they must
 * be such that who gets one twice makes one of both.
 */
export function postingChannel(
  allowAddresses: readonly string[],
  postsOf: (notification: Notification) => readonly JudgedPost[],
): Channel {
  const poster = new Poster(allowAddresses)
  return {
    send: (notification, signal) =>
      withSecrets(async () => {
        for (const { judge, ...post } of postsOf(notification)) {
          const posted = await poster.post(post, signal)
          const delivery = 'delivery' in posted ? posted.delivery : (judge?.(posted.body) ?? ACCEPTED)
          if (delivery.outcome !== 'accepted') return delivery
        }
        return ACCEPTED
      }),
    close: () => poster.close(),
  }
}

/** Does the work; a secret that cannot be read now is a delivery to be tried again. */
export async function withSecrets(work: () => Promise<Delivery>): Promise<Delivery> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof Problem) return later(error.message)
    throw error
  }
}

/** A URL that is a secret as a whole, and each of its parts that may be the secret in it: a server sees and repeats only those. */
export function secretsOfUrl(url: string): readonly string[] {
  if (!URL.canParse(url)) return [url]
  const { pathname, search, searchParams } = new URL(url)
  const parts = [...pathname.split('/'), ...searchParams.values()].filter((part) => part.length >= SHORTEST_SECRET)
  const written = [url, `${pathname}${search}`, pathname, search, ...parts].filter(
    (part) => part.length >= SHORTEST_SECRET,
  )
  return [...new Set(written)].toSorted((a, b) => b.length - a.length)
}

/** Addresses that the guard lets through. */
export function allowedAddresses() {
  return z
    .array(
      z
        .string()
        .meta({ 'x-type': 'address or range' })
        .superRefine((text, ctx) => {
          if (parseRange(text) === null)
            refuse(
              ctx,
              'CONFIG_WRONG_VALUE',
              `"${text}" is no address or range`,
              'write 169.254.10.1 or 169.254.10.0/24',
            )
        }),
    )
    .prefault([])
    .meta(about('Link-local and metadata addresses that may be asked all the same', ['169.254.10.1']))
}

/** A URL of http or https that may stand in the config: it holds no secret. */
export function plainUrl() {
  return z
    .string()
    .meta({ 'x-type': 'URL', pattern: '^https?://' })
    .superRefine((text, ctx) => {
      if (!isHttpUrl(text)) refuse(ctx, 'CONFIG_WRONG_VALUE', 'not a URL of http or https', 'write https://HOST/PATH')
    })
}

function isHttpUrl(text: string): boolean {
  return URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol)
}

/** null: it does not say, or as a date, which is not worth a clock that two machines agree on. */
function secondsOf(retryAfter: string | string[] | undefined): number | null {
  if (typeof retryAfter !== 'string' || !/^\d{1,6}$/.test(retryAfter)) return null
  return Math.min(LONGEST_RETRY_SECONDS, Math.max(1, Number(retryAfter)))
}
