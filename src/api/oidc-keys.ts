import { createLocalJWKSet, errors, type JWTVerifyGetKey } from 'jose'
import { z } from 'zod'
import { problem } from '../core/problem.ts'
import type { OidcConfig } from '../policy/access.ts'
import type { Clock, Log } from '../ports/runtime.ts'

/** Keys younger than that are used without asking again, ms. */
const FRESH_MS = 10 * 60_000
/** While the provider does not answer, its keys count so long: an outage there must not keep anybody from a revert, ms. */
const STALE_MS = 24 * 3_600_000
/** So long between two questions, whoever sends tokens of unknown keys, ms. */
const PAUSE_MS = 30_000

/** The JSON at a URL. Throws when there is none, or it is late. */
export type FetchJson = (url: string) => Promise<unknown>

export interface OidcKeysDeps {
  readonly fetchJson: FetchJson
  readonly clock: Clock
  readonly log: Log
}

const discoverySchema = z.looseObject({ issuer: z.string(), jwks_uri: z.string() })
const jwksSchema = z.looseObject({ keys: z.array(z.looseObject({ kty: z.string() })).max(100) })

/**
 * The identity provider's keys, as jose asks for them. A token of an unknown key has them fetched again, as providers
 * rotate them. Throws API_IDENTITY_UNAVAILABLE when there are none that still count.
 */
export function createOidcKeys(
  { issuer, jwksUrl }: Pick<OidcConfig, 'issuer' | 'jwksUrl'>,
  { fetchJson, clock, log }: OidcKeysDeps,
): JWTVerifyGetKey {
  let known: { readonly find: ReturnType<typeof createLocalJWKSet>; readonly atMs: number } | null = null
  let askedAtMs = Number.NEGATIVE_INFINITY
  let asking: Promise<void> | null = null
  // A clock that went back makes nothing younger.
  const ageOf = (atMs: number) => Math.abs(clock.nowMs() - atMs)

  async function ask(): Promise<void> {
    try {
      const url = jwksUrl ?? (await discover(issuer, fetchJson))
      known = { find: createLocalJWKSet(jwksSchema.parse(await fetchJson(url))), atMs: clock.nowMs() }
    } catch (error) {
      log.warn({ issuer, err: error }, 'the identity provider gives no keys')
    }
  }
  /** One question at a time, and not again at once. */
  function refresh(): Promise<void> {
    if (asking === null && ageOf(askedAtMs) < PAUSE_MS) return Promise.resolve()
    askedAtMs = clock.nowMs()
    asking ??= ask().finally(() => {
      asking = null
    })
    return asking
  }

  return async (header, token) => {
    if (known === null || ageOf(known.atMs) > FRESH_MS) await refresh()
    const usable = () => {
      if (known !== null && ageOf(known.atMs) <= STALE_MS) return known.find
      throw problem('API_IDENTITY_UNAVAILABLE', `${issuer} gives no keys`)
    }
    try {
      return await usable()(header, token)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      await refresh()
      return usable()(header, token)
    }
  }
}

/** Where the keys are, as the issuer says; who answers for another issuer is not believed. */
async function discover(issuer: string, fetchJson: FetchJson): Promise<string> {
  const found = discoverySchema.parse(await fetchJson(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`))
  if (found.issuer !== issuer)
    throw new Error(`the discovery document is of another issuer: ${found.issuer.slice(0, 200)}`)
  if (new URL(issuer).protocol === 'https:' && new URL(found.jwks_uri).protocol !== 'https:')
    throw new Error('the discovery document has its keys without TLS')
  return found.jwks_uri
}
