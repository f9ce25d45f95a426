import { createHash, timingSafeEqual } from 'node:crypto'
import { Problem, problem } from '../core/problem.ts'
import type { ApiToken } from '../policy/access.ts'
import { type Access, type Identity, mayAsk, nameOf } from './identity.ts'
import type { ApiOptions } from './options.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
    /** Asked by what must never be refused for its rate: the orchestrator's health checks, and alerts. */
    unlimited?: boolean
  }
  interface FastifyRequest {
    /** null: anybody may ask, or there are no tokens. */
    identity: Identity | null
  }
}

type AuthOptions = Pick<ApiOptions, 'tokens' | 'oidc' | 'secret' | 'log'>

/** Who asks, if they may: what `authenticate` and `refusalOf` say. */
export async function authorize(
  access: Access,
  header: string | undefined,
  options: AuthOptions,
): Promise<Identity | null | Problem> {
  const identity = await authenticate(access, header, options)
  return identity instanceof Problem ? identity : (refusalOf(identity, access) ?? identity)
}

/**
 * Tells who asks, by the `Authorization` header; null: anybody may. Returns API_UNAUTHENTICATED, API_FORBIDDEN or
 * API_IDENTITY_UNAVAILABLE. Without tokens and an identity provider in the config reads are open, as the service then
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
  if (tokens.length === 0 && oidc === null) {
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
  if (tokens.some(({ name }) => name === identity.name) && identity.via !== 'token')
    return problem('API_FORBIDDEN', `${nameOf(identity)} is the name of a token: the journal could not tell them apart`)
  return identity
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

/** Basic is taken for webhooks alone: a browser would send it by itself, also where a strange page makes it ask. */
function presentedBy(header: string | undefined, access: Access): Presented | null {
  const token = /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1]
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
  const presentedDigest = digest(presented.token)
  let found: Identity | null = null
  // Digests are of one length, and all tokens are compared: the time taken says nothing about any of them.
  for (const { name, token, role, approves, scope } of tokens) {
    try {
      const isSame = timingSafeEqual(digest(secret(token)), presentedDigest)
      if (isSame && (presented.name ?? name) === name)
        found = { name, via: 'token', subject: null, grants: [{ role, approves, scope }] }
    } catch (error) {
      log.warn({ token: name, err: error }, 'an API token cannot be resolved; nobody can use it')
    }
  }
  return found
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
