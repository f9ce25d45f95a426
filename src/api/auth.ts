import { createHash, timingSafeEqual } from 'node:crypto'
import { type Problem, problem } from '../core/problem.ts'
import type { ApiToken } from '../policy/config.ts'
import type { ApiOptions } from './options.ts'

/** Who may ask: anybody; whoever has a token (anybody, without tokens); whoever has an operator's token. */
export type Access = 'open' | 'viewer' | 'operator'

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
  const identity = identify(header, tokens, options)
  if (!identity) return problem('API_UNAUTHENTICATED', 'the request carries no valid token')
  if (access === 'operator' && identity.role !== 'operator')
    return problem('API_FORBIDDEN', `the token "${identity.name}" is of the viewer role`)
  return identity
}

function identify(
  header: string | undefined,
  tokens: readonly ApiToken[],
  { secret, log }: Pick<ApiOptions, 'secret' | 'log'>,
): Identity {
  const presented = /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1]
  if (presented === undefined) return null
  const presentedDigest = digest(presented)
  let found: Identity = null
  // Digests are of one length, and all tokens are compared: the time taken says nothing about any of them.
  for (const { name, role, approves, token } of tokens) {
    try {
      if (timingSafeEqual(digest(secret(token)), presentedDigest)) found = { name, role, approves }
    } catch (error) {
      log.warn({ token: name, err: error }, 'an API token cannot be resolved; nobody can use it')
    }
  }
  return found
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
