import { timingSafeEqual } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { Problem, problem } from '../core/problem.ts'
import type { ApiToken } from '../policy/access.ts'
import { clientOf } from './certificate.ts'
import { type Access, type Identity, mayAsk, nameOf } from './identity.ts'
import type { ApiOptions } from './options.ts'
import { digestOf } from './same-text.ts'
import { cookieOf, type OpenSession, type Sessions } from './session.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
    /** Asked by what must never be refused for its rate: the orchestrator's health checks, and alerts. */
    unlimited?: boolean
  }
  interface FastifyRequest {
    /** null: anybody may ask, or there are no tokens. */
    identity: Identity | null
    /** null: it came without a cookie, or with a bearer token beside it. */
    openSession: OpenSession | null
  }
}

type AuthOptions = Pick<ApiOptions, 'tokens' | 'clients' | 'oidc' | 'secret' | 'log'>

/** Who asks, and by what. */
export interface Recognised {
  readonly identity: Identity | null
  /** null: by a bearer token or a certificate, or it is open to anybody. */
  readonly session: OpenSession | null
}

/**
 * Tells who asks, by the `Authorization` header, without one by the cookie of a session, and without either by the
 * certificate. What was sent on purpose counts, and alone: nothing is added to it, and if it is refused nothing of what a
 * browser or a proxy shows by itself takes its place. Returns what `authenticate` does, API_SESSION_UNAVAILABLE and
 * API_CERTIFICATE_REFUSED. It does not look whether a change may come by a cookie or a certificate: the guard does.
 */
export async function recognise(
  access: Access,
  request: Pick<FastifyRequest, 'headers' | 'cookies' | 'socket'>,
  options: AuthOptions & Pick<ApiOptions, 'tls' | 'clock'> & { readonly sessions: Sessions },
): Promise<Recognised | Problem> {
  const { authorization } = request.headers
  const isByItself = authorization === undefined && access !== 'open' && isAnybodyNamed(options)
  const cookie = isByItself ? cookieOf(request, options.sessions) : undefined
  if (cookie === undefined) {
    const shown = isByItself ? (options.tls?.shownBy(request.socket) ?? null) : null
    const identity =
      shown === null
        ? await authenticate(access, authorization, options)
        : clientOf(shown, options.clients(), options.clock.nowMs())
    return identity instanceof Problem ? identity : { identity, session: null }
  }
  const session = await options.sessions.open(cookie)
  if (session instanceof Problem) return session
  return nameRefusal(session.identity, options) ?? { identity: session.identity, session }
}

/**
 * Tells who asks, by the `Authorization` header; null: anybody may. Returns API_UNAUTHENTICATED, API_FORBIDDEN or
 * API_IDENTITY_UNAVAILABLE. Without tokens, clients and an identity provider in the config reads are open, as the service then
 * listens on loopback alone, and nobody may command.
 */
export async function authenticate(
  access: Access,
  header: string | undefined,
  options: AuthOptions,
): Promise<Identity | null | Problem> {
  if (access === 'open') return null
  const tokens = options.tokens()
  const oidc = options.oidc()
  if (!isAnybodyNamed(options)) {
    if (access === 'viewer') return null
    return problem('API_UNAUTHENTICATED', 'no tokens are configured, so nobody may command', {
      hint: 'add a token of the operator role under `api.tokens` in the config',
    })
  }
  const presented = presentedBy(header, access)
  const identity =
    identify(presented, tokens, options) ??
    (oidc !== null && presented?.name === null && isSigned(presented.token) ? await oidc.verify(presented.token) : null)
  if (identity === null) return problem('API_UNAUTHENTICATED', 'the request carries no valid token')
  if (identity instanceof Problem) return identity
  return nameRefusal(identity, options) ?? identity
}

/** Whether the config says who may do what. */
function isAnybodyNamed({ tokens, clients, oidc }: Pick<AuthOptions, 'tokens' | 'clients' | 'oidc'>): boolean {
  return tokens().length > 0 || clients().length > 0 || oidc() !== null
}

/** Tokens and clients have names that the config gives them; people have theirs from elsewhere. */
function nameRefusal(identity: Identity, { tokens, clients }: Pick<AuthOptions, 'tokens' | 'clients'>): Problem | null {
  if (identity.via !== 'oidc') return null
  const whose = [
    { what: 'a token', names: tokens() },
    { what: 'a client', names: clients() },
  ].find(({ names }) => names.some(({ name }) => name === identity.name))
  if (!whose) return null
  const cause = `${nameOf(identity)} is the name of ${whose.what}: the journal could not tell them apart`
  return problem('API_FORBIDDEN', cause)
}

/** Why somebody may not do such a thing at all: API_FORBIDDEN; null: they may, somewhere. */
export function refusalOf(identity: Identity | null, access: Access): Problem | null {
  if (identity === null || access === 'open' || mayAsk(identity, access)) return null
  const roles = [...new Set(identity.grants.map(({ role }) => role))].join(', ')
  return problem(
    'API_FORBIDDEN',
    `${nameOf(identity)} has the role ${roles}, and it takes ${access} for all that it is about`,
  )
}

interface Presented {
  readonly token: string
  /** The token's name must be this; null: whatever it is. */
  readonly name: string | null
}

/** The token of an `Authorization: Bearer` header. */
export function bearerOf(header: string | undefined): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1]
}

/** Basic is taken for webhooks alone: a browser would send it by itself, also where a strange page makes it ask. */
function presentedBy(header: string | undefined, access: Access): Presented | null {
  const token = bearerOf(header)
  if (token !== undefined) return { token, name: null }
  const pair = access === 'webhook' ? /^Basic +([A-Za-z0-9+/=]+) *$/i.exec(header ?? '')?.[1] : undefined
  if (pair === undefined) return null
  const [name = '', ...rest] = Buffer.from(pair, 'base64').toString('utf8').split(':')
  return { token: rest.join(':'), name }
}

/** The three parts of a JWS. */
function isSigned(token: string): boolean {
  return /^[\w-]+\.[\w-]+\.[\w-]+$/.test(token)
}

function identify(
  presented: Presented | null,
  tokens: readonly ApiToken[],
  { secret, log }: Pick<ApiOptions, 'secret' | 'log'>,
): Identity | null {
  if (presented === null) return null
  const presentedDigest = digestOf(presented.token)
  let found: Identity | null = null
  // Digests are of one length, and all tokens are compared: the time taken says nothing about any of them.
  for (const { name, token, role, approves, scope } of tokens) {
    try {
      const isSame = timingSafeEqual(digestOf(secret(token)), presentedDigest)
      if (isSame && (presented.name ?? name) === name)
        found = { name, via: 'token', subject: null, groups: [], endsAtMs: null, grants: [{ role, approves, scope }] }
    } catch (error) {
      log.warn({ token: name, err: error }, 'an API token cannot be resolved; nobody can use it')
    }
  }
  return found
}
