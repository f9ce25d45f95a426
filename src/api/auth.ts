import { createHash, timingSafeEqual } from 'node:crypto'
import { type Problem, problem } from '../core/problem.ts'
import type { ApiToken } from '../policy/config.ts'
import type { ApiOptions } from './options.ts'

/**
 * Who may ask: anybody; whoever has a token (anybody, without tokens); whoever has an operator's token; an operator's or a
 * webhook's token, which may also come as the password of Basic, with the token's name as the user.
 */
export type Access = 'open' | 'viewer' | 'operator' | 'webhook'

/** The name and role of the token that came with the request; null: none was needed. */
export type Identity = Pick<ApiToken, 'name' | 'role' | 'approves'> | null

declare module 'fastify' {
  interface FastifyContextConfig {
    access?: Access
  }
  interface FastifyRequest {
    identity: Identity
  }
}

/**
 * Decides on the `Authorization` header. Returns API_UNAUTHENTICATED or API_FORBIDDEN. Without tokens in the config
 * reads are open, as the service then listens on loopback alone, and nobody may command.
 */
export function authorize(
  access: Access,
  header: string | undefined,
  options: Pick<ApiOptions, 'tokens' | 'secret' | 'log'>,
): Identity | Problem {
  if (access === 'open') return null
  const tokens = options.tokens()
  if (tokens.length === 0) {
    if (access === 'viewer') return null
    return problem('API_UNAUTHENTICATED', 'no tokens are configured, so nobody may command', {
      hint: 'add a token of the operator role under `api.tokens` in the config',
    })
  }
  const identity = identify(presentedBy(header, access), tokens, options)
  if (!identity) return problem('API_UNAUTHENTICATED', 'the request carries no valid token')
  if (!ROLES[access].includes(identity.role))
    return problem('API_FORBIDDEN', `the token "${identity.name}" is of the ${identity.role} role`)
  return identity
}

const ROLES: Readonly<Record<Exclude<Access, 'open'>, readonly ApiToken['role'][]>> = {
  viewer: ['viewer', 'operator'],
  operator: ['operator'],
  webhook: ['webhook', 'operator'],
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

function identify(
  presented: Presented | null,
  tokens: readonly ApiToken[],
  { secret, log }: Pick<ApiOptions, 'secret' | 'log'>,
): Identity {
  if (presented === null) return null
  const presentedDigest = digest(presented.token)
  let found: Identity = null
  // Digests are of one length, and all tokens are compared: the time taken says nothing about any of them.
  for (const { name, role, approves, token } of tokens) {
    try {
      const isSame = timingSafeEqual(digest(secret(token)), presentedDigest)
      if (isSame && (presented.name ?? name) === name) found = { name, role, approves }
    } catch (error) {
      log.warn({ token: name, err: error }, 'an API token cannot be resolved; nobody can use it')
    }
  }
  return found
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
