import { Agent, request } from 'undici'
import { z } from 'zod'
import { isMissing, type Missing, missing } from '../core/observation.ts'
import { Problem } from '../core/problem.ts'
import type { AlertmanagerConfig } from '../policy/schema-alertmanager.ts'
import type { Clock } from '../ports/runtime.ts'
import { readBounded } from '../shared/body.ts'
import { within } from '../shared/deadline.ts'
import { guardedConnector } from '../shared/guard.ts'
import { authorizationOf } from '../shared/http-auth.ts'
import type { Matcher } from '../shared/promql/selector.ts'
import { clause, codeOf } from '../shared/text.ts'

const TIMEOUT_MS = 5000
const MAX_BYTES = 16 * 2 ** 20
/** Who Alertmanager says has made them. */
const CREATED_BY = 'headgate'

/** Where Alertmanager is, and how it is asked. */
export type AlertmanagerPlace = Pick<AlertmanagerConfig, 'auth'> & { readonly url: string }

/** A silence of Headgate's, as Alertmanager has it. */
export interface Silence {
  readonly id: string
  readonly comment: string
  /** False: it is over. */
  readonly isActive: boolean
}

export interface NewSilence {
  readonly matchers: readonly Matcher[]
  readonly startsAtMs: number
  readonly endsAtMs: number
  readonly comment: string
}

/** The silences of Alertmanager's API, version 2. No method throws. */
export interface SilenceApi {
  /** Those that Headgate has made: this one, or another. */
  list(place: AlertmanagerPlace): Promise<readonly Silence[] | Missing>
  add(place: AlertmanagerPlace, silence: NewSilence): Promise<{ readonly id: string } | Missing>
  /** null: it is over. */
  expire(place: AlertmanagerPlace, id: string): Promise<Missing | null>
  close(): Promise<void>
}

export interface SilenceApiDeps {
  readonly clock: Clock
  readonly secret: (reference: string) => string
}

const listSchema = z.array(
  z.looseObject({
    id: z.string(),
    createdBy: z.string(),
    comment: z.string(),
    status: z.looseObject({ state: z.enum(['expired', 'active', 'pending']) }),
  }),
)
const addedSchema = z.looseObject({ silenceID: z.string() })

export function createSilenceApi(deps: SilenceApiDeps): SilenceApi {
  const agent = new Agent({ connect: guardedConnector([]), connections: 2 })
  const ask = (place: AlertmanagerPlace, call: Call) => send(place, call, agent, deps)
  return {
    async list(place) {
      const answer = await ask(place, { method: 'GET', path: '/silences' })
      if (isMissing(answer)) return answer
      const all = listSchema.safeParse(answer.json)
      if (!all.success) return missing('bad-answer', 'its list of silences is none')
      const own = all.data.filter(({ createdBy }) => createdBy === CREATED_BY)
      return own.map(({ id, comment, status }) => ({ id, comment, isActive: status.state !== 'expired' }))
    },
    async add(place, { matchers, startsAtMs, endsAtMs, comment }) {
      const body = {
        matchers: matchers.map(({ label, op, value }) => {
          return { name: label, value, isRegex: op.endsWith('~'), isEqual: op.startsWith('=') }
        }),
        startsAt: new Date(startsAtMs).toISOString(),
        endsAt: new Date(endsAtMs).toISOString(),
        createdBy: CREATED_BY,
        comment,
      }
      const answer = await ask(place, { method: 'POST', path: '/silences', body })
      if (isMissing(answer)) return answer
      const added = addedSchema.safeParse(answer.json)
      return added.success ? { id: added.data.silenceID } : missing('bad-answer', 'it named no silence')
    },
    async expire(place, id) {
      const answer = await ask(place, { method: 'DELETE', path: `/silence/${encodeURIComponent(id)}` })
      return isMissing(answer) ? answer : null
    },
    close: () => agent.destroy(),
  }
}

interface Call {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly path: string
  readonly body?: object
}

async function send(
  place: AlertmanagerPlace,
  { method, path, body: value }: Call,
  dispatcher: Agent,
  { clock, secret }: SilenceApiDeps,
): Promise<{ readonly json: unknown } | Missing> {
  let secrets: readonly string[] = []
  try {
    return await within(clock, TIMEOUT_MS, async (signal) => {
      const credentials = authorizationOf(place.auth, secret)
      secrets = credentials?.secrets ?? []
      const { statusCode, body } = await request(`${place.url.replace(/\/+$/, '')}/api/v2${path}`, {
        method,
        dispatcher,
        signal,
        headers: {
          ...(credentials && { authorization: credentials.header }),
          ...(value && { 'content-type': 'application/json' }),
        },
        ...(value && { body: JSON.stringify(value) }),
      })
      const text = await readBounded(body, MAX_BYTES)
      if (text === null) return missing('bad-answer', `its answer has more than ${MAX_BYTES} bytes`)
      if (statusCode < 200 || statusCode >= 300)
        return missing('refused', clause(`status ${statusCode}: ${text}`, secrets))
      return { json: text === '' ? null : JSON.parse(text) }
    })
  } catch (error) {
    if (error instanceof Problem) return missing('refused', error.message)
    if (error instanceof SyntaxError) return missing('bad-answer', 'its answer is no JSON')
    return missing('unreachable', codeOf(error))
  }
}
