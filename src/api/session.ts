import { createHmac, hkdfSync } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { EncryptJWT, errors, jwtDecrypt } from 'jose'
import { z } from 'zod'
import { Problem, problem } from '../core/problem.ts'
import { isLoopback } from './hosts.ts'
import type { Identity } from './identity.ts'
import type { ApiOptions } from './options.ts'
import { isSameText } from './same-text.ts'

/** The API, with its sessions. */
export interface Api extends ApiOptions {
  readonly sessions: Sessions
}

/** Sessions of pages: who signed in, sealed into a cookie that only Headgate can open. */
export interface Sessions {
  readonly cookieName: string
  /** Whether browsers are to send it over TLS alone. */
  readonly isSecure: boolean
  /**
   * Begins one for somebody who showed this bearer token. Throws API_UNAUTHENTICATED where the token has expired
   * meanwhile, API_SESSION_UNAVAILABLE.
   */
  begin(identity: Identity, token: string): Promise<OpenSession & { readonly cookie: string }>
  /** Returns API_UNAUTHENTICATED: it has ended, or never began; API_SESSION_UNAVAILABLE. */
  open(cookie: string): Promise<OpenSession | Problem>
  /** It opens no more. Other replicas, and this one after a restart, know of no end but its time. */
  end(session: OpenSession): void
}

export interface OpenSession {
  /** Names it in the audit; opens nothing. */
  readonly id: string
  readonly beganAtMs: number
  readonly endsAtMs: number
  /** What a changing request must show: of this session alone. */
  readonly csrfToken: string
  /** With what they may do by now. */
  readonly identity: Identity
}

type Options = Pick<ApiOptions, 'host' | 'tls' | 'publicUrl' | 'tokens' | 'oidc' | 'secret' | 'session' | 'startKey'> &
  Pick<ApiOptions, 'clock' | 'random' | 'log'>

const HOUR_MS = 3_600_000
const SHORTEST_KEY = 32
/** What browsers keep of one cookie, with its name and attributes, is 4,096 bytes (RFC 6265). */
const LONGEST_COOKIE = 3_800
/** Ended sessions that are remembered at a time. */
const REMEMBERED = 10_000

const sealedSchema = z.object({
  jti: z.string().min(1),
  beganAtMs: z.number(),
  endsAtMs: z.number(),
  via: z.enum(['token', 'oidc']),
  name: z.string(),
  subject: z.string().nullable(),
  groups: z.array(z.string()),
  /** Of what they showed: the token, or how the identity provider's people are told. Another one is another person. */
  shown: z.string(),
})
type Sealed = z.infer<typeof sealedSchema>

const ENDED = 'the session has ended'

/** The session's cookie of a request; undefined: it has none. */
export function cookieOf({ cookies }: Pick<FastifyRequest, 'cookies'>, { cookieName }: Sessions): string | undefined {
  return Object.hasOwn(cookies, cookieName) ? cookies[cookieName] : undefined
}

export function createSessions(options: Options): Sessions {
  const { clock, random } = options
  // A cookie of localhost goes to every port there, and Safari sends none that is secure: hence the plain name.
  const isSecure =
    options.tls !== null || !isLoopback(options.host) || options.publicUrl()?.startsWith('https:') === true
  const ended = createEnded(() => clock.nowMs())
  return {
    cookieName: isSecure ? '__Host-headgate' : 'headgate',
    isSecure,
    async begin(identity, token) {
      const keys = keysOf(options)
      const beganAtMs = clock.nowMs()
      const endsAtMs = Math.min(beganAtMs + maxMs(options), identity.endsAtMs ?? Number.POSITIVE_INFINITY)
      if (endsAtMs <= beganAtMs) throw problem('API_UNAUTHENTICATED', 'the token has expired')
      const { via, name, subject, groups } = identity
      if (via === 'certificate') throw problem('API_UNAUTHENTICATED', 'a session is begun with a bearer token')
      const shown = via === 'token' ? keys.mac('token', token) : keys.mac('manner', options.oidc()?.manner ?? '')
      const id = random.id()
      const sealed: Sealed = { jti: id, beganAtMs, endsAtMs, via, name, subject, groups: [...groups], shown }
      const cookie = await new EncryptJWT(sealed)
        .setProtectedHeader({ alg: 'dir', enc: 'A256GCM' })
        .encrypt(keys.sealing)
      if (cookie.length > LONGEST_COOKIE)
        throw problem('API_SESSION_UNAVAILABLE', `its cookie would have ${cookie.length} bytes: too many groups`, {
          hint: 'name fewer groups in `api.oidc.groups`, or use the token as a bearer token',
        })
      return { id, beganAtMs, endsAtMs, csrfToken: keys.mac('csrf', id), identity, cookie }
    },
    async open(cookie) {
      try {
        const keys = keysOf(options)
        const sealed = await unseal(cookie, keys)
        if (sealed === null || ended.has(sealed)) return problem('API_UNAUTHENTICATED', ENDED)
        const endsAtMs = Math.min(sealed.endsAtMs, sealed.beganAtMs + maxMs(options))
        if (clock.nowMs() >= endsAtMs) return problem('API_UNAUTHENTICATED', ENDED)
        const identity = identityNow(sealed, keys, options)
        if (identity instanceof Problem) return identity
        const { jti: id, beganAtMs } = sealed
        return { id, beganAtMs, endsAtMs, csrfToken: keys.mac('csrf', id), identity }
      } catch (error) {
        if (error instanceof Problem) return error
        throw error
      }
    },
    end: (session) => ended.add(session),
  }
}

/** Who it is by now: nothing of the config is sealed, so what was taken away there is gone at once. */
function identityNow(sealed: Sealed, keys: Keys, { tokens, oidc, secret, log }: Options): Identity | Problem {
  const { via, name, subject, groups, shown, endsAtMs } = sealed
  if (via === 'oidc') {
    const verifier = oidc()
    if (verifier === null || !isSameText(keys.mac('manner', verifier.manner), shown))
      return problem('API_UNAUTHENTICATED', ENDED)
    return verifier.recall({ name, subject, groups, endsAtMs })
  }
  const token = tokens().find((one) => one.name === name)
  if (!token) return problem('API_UNAUTHENTICATED', ENDED)
  try {
    if (!isSameText(keys.mac('token', secret(token.token)), shown)) return problem('API_UNAUTHENTICATED', ENDED)
  } catch (error) {
    log.warn({ token: name, err: error }, 'an API token cannot be resolved; its sessions have ended')
    return problem('API_UNAUTHENTICATED', ENDED)
  }
  const { role, approves, scope } = token
  return { name, via, subject: null, groups: [], endsAtMs: null, grants: [{ role, approves, scope }] }
}

interface Keys {
  readonly sealing: Uint8Array
  /** Tells that a text is of this key, and is for nothing else. */
  mac(purpose: 'token' | 'manner' | 'csrf', text: string): string
}

/** Read at each use, as all secrets are: another key ends all sessions. */
function keysOf({ session, startKey, secret }: Options): Keys {
  const { key } = session()
  const text = key === null ? startKey : secretKey(key, secret)
  const derived = (use: string) => new Uint8Array(hkdfSync('sha256', text, '', `headgate session ${use}`, 32))
  const macKey = derived('mac')
  return {
    sealing: derived('seal'),
    mac: (purpose, value) => createHmac('sha256', macKey).update(`${purpose}\0${value}`).digest('base64url'),
  }
}

function secretKey(reference: string, secret: Options['secret']): string {
  let text: string
  try {
    text = secret(reference)
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    throw problem('API_SESSION_UNAVAILABLE', `\`api.session.key\`: ${error.message}`, { from: error })
  }
  // Whoever has a cookie can try keys as fast as machines go.
  if (text.length >= SHORTEST_KEY) return text
  throw problem('API_SESSION_UNAVAILABLE', `\`api.session.key\` has less than ${SHORTEST_KEY} characters`, {
    hint: 'make one with `openssl rand -base64 32`',
  })
}

/** null: not of this key, or not as this version writes it. */
async function unseal(cookie: string, { sealing }: Keys): Promise<Sealed | null> {
  if (cookie.length > LONGEST_COOKIE) return null
  try {
    const { payload } = await jwtDecrypt(cookie, sealing, {
      keyManagementAlgorithms: ['dir'],
      contentEncryptionAlgorithms: ['A256GCM'],
    })
    return sealedSchema.safeParse(payload).data ?? null
  } catch (error) {
    if (error instanceof errors.JOSEError) return null
    throw error
  }
}

function maxMs({ session }: Options): number {
  return session().maxHours * HOUR_MS
}

/** Sessions that were ended before their time. With more of them than it keeps, all that are as old end, too. */
function createEnded(nowMs: () => number) {
  const byId = new Map<string, Pick<OpenSession, 'beganAtMs' | 'endsAtMs'>>()
  let allUntilMs = Number.NEGATIVE_INFINITY
  return {
    has: ({ jti, beganAtMs }: Sealed) => beganAtMs <= allUntilMs || byId.has(jti),
    add({ id, beganAtMs, endsAtMs }: OpenSession): void {
      byId.set(id, { beganAtMs, endsAtMs })
      if (byId.size <= REMEMBERED) return
      for (const [key, one] of byId) if (one.endsAtMs <= nowMs()) byId.delete(key)
      for (const [key, one] of byId) {
        if (byId.size <= REMEMBERED) break
        allUntilMs = Math.max(allUntilMs, one.beganAtMs)
        byId.delete(key)
      }
    },
  }
}
