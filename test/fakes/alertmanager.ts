import { createHash } from 'node:crypto'
import { z } from 'zod'
import { compileMatchers } from '../../src/shared/promql/matching.ts'
import type { SeenSilence } from '../support/alertmanager.ts'
import { answering, startWebServer, type WebRequest } from '../support/web-server.ts'

/** How it behaves. `losing`: it does what it is asked, and hangs up. */
export type AlertmanagerMood = 'fine' | 'away' | 'losing' | 'echoing' | 'babbling'

/** The part of Alertmanager's API v2 that is about silences. */
export interface FakeAlertmanager {
  readonly url: string
  readonly requests: readonly WebRequest[]
  silences(): readonly SeenSilence[]
  active(): readonly SeenSilence[]
  mood(mood: AlertmanagerMood): void
  /** As a person does in its page. */
  expire(id: string): void
}

const matcherSchema = z.object({
  name: z.string(),
  value: z.string(),
  isRegex: z.boolean(),
  isEqual: z.boolean().default(true),
})
const time = z.iso.datetime({ offset: true })
const postedSchema = z.object({
  matchers: z.array(matcherSchema).min(1),
  startsAt: time,
  endsAt: time,
  createdBy: z.string(),
  comment: z.string(),
})

type Posted = z.output<typeof postedSchema>
type Kept = Posted & { readonly id: string; endsAtMs: number }

/** Starts one whose clock is `nowMs`; it ends with the test. */
export async function startFakeAlertmanager(nowMs: () => number = Date.now): Promise<FakeAlertmanager> {
  const kept: Kept[] = []
  let mood: AlertmanagerMood = 'fine'

  const seen = (): SeenSilence[] =>
    kept.map(({ endsAtMs, ...rest }) => {
      const state = endsAtMs <= nowMs() ? 'expired' : Date.parse(rest.startsAt) > nowMs() ? 'pending' : 'active'
      return { ...rest, endsAt: new Date(endsAtMs).toISOString(), status: { state } }
    })
  const expire = (id: string) => {
    const one = kept.find((silence) => silence.id === id)
    if (one) one.endsAtMs = Math.min(one.endsAtMs, nowMs())
    return one !== undefined
  }
  const add = (posted: Posted): { status: number; body: unknown } => {
    const fault = faultOf(posted, nowMs())
    if (fault !== null) return { status: 400, body: fault }
    const id = uuidOf(kept.length)
    kept.push({ ...posted, id, endsAtMs: Date.parse(posted.endsAt) })
    return { status: 200, body: { silenceID: id } }
  }
  const answer = ({ method, url, body }: WebRequest): { status: number; body: unknown } => {
    const id = /^\/api\/v2\/silence\/([\w-]+)$/.exec(url)?.[1]
    if (method === 'GET' && url === '/api/v2/silences') return { status: 200, body: seen() }
    if (method === 'DELETE' && id !== undefined) return { status: expire(id) ? 200 : 500, body: '' }
    if (method !== 'POST' || url !== '/api/v2/silences') return { status: 404, body: { code: 404 } }
    const posted = postedSchema.safeParse(JSON.parse(body))
    return posted.success ? add(posted.data) : { status: 422, body: { code: 602, message: posted.error.message } }
  }

  const server = await startWebServer((response, request) => {
    if (mood === 'away') return void response.destroy()
    if (mood === 'babbling') return answering(200, '{"status":"success"}')(response, request)
    if (mood === 'echoing') return answering(401, JSON.stringify(request.headers))(response, request)
    const { status, body } = answer(request)
    if (mood === 'losing' && request.method !== 'GET') return void response.destroy()
    answering(status, body === '' ? '' : JSON.stringify(body))(response, request)
  })
  return {
    url: server.url,
    requests: server.requests,
    silences: seen,
    active: () => seen().filter(({ status }) => status.state === 'active'),
    mood: (next) => {
      mood = next
    },
    expire,
  }
}

/** What Alertmanager says of a silence that has the right shape, and makes no sense. */
function faultOf({ matchers, startsAt, endsAt }: Posted, nowMs: number): string | null {
  const [startsAtMs, endsAtMs] = [Date.parse(startsAt), Date.parse(endsAt)]
  if (startsAtMs >= endsAtMs) return 'Failed to create silence: start time must be before end time'
  if (endsAtMs < nowMs) return "Failed to create silence: end time can't be in the past"
  const fitsNothing = matchers.every(({ value, isRegex, isEqual }) => {
    const op = isRegex ? (isEqual ? '=~' : '!~') : isEqual ? '=' : '!='
    const fits = compileMatchers({ matchers: [{ label: 'any', op, value }] })
    return typeof fits === 'function' && fits({ any: '' })
  })
  return fitsNothing ? 'invalid silence: at least one matcher must not match the empty string' : null
}

function uuidOf(n: number): string {
  return createHash('sha256')
    .update(String(n))
    .digest('hex')
    .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/, '$1-$2-$3-$4-$5')
}
