import { errors, type JWTPayload, jwtVerify } from 'jose'
import { Problem, problem } from '../core/problem.ts'
import type { OidcConfig } from '../policy/access.ts'
import type { Identity } from './identity.ts'
import { createOidcKeys, type OidcKeysDeps } from './oidc-keys.ts'

/** Checks the tokens of one identity provider. */
export interface OidcVerifier {
  /** Returns API_UNAUTHENTICATED, API_FORBIDDEN (in no group that may do anything) or API_IDENTITY_UNAVAILABLE. */
  verify(token: string): Promise<Identity | Problem>
  /** How people are told: whoever was told otherwise may be somebody else. */
  readonly manner: string
  /** Somebody who was verified before, with what their groups may do by now. Returns API_FORBIDDEN: nothing. */
  recall(person: Person): Identity | Problem
}

export type Person = Pick<Identity, 'name' | 'subject' | 'groups' | 'endsAtMs'>

/** Signatures that only the provider can make: none that takes a secret of both. */
const ALGORITHMS = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519']
/** Headgate's own name in the journal. */
const OWN_NAME = 'headgate'

export function createOidcVerifier(config: OidcConfig, deps: OidcKeysDeps): OidcVerifier {
  const { issuer, audience, toleranceSeconds } = config
  const keys = createOidcKeys(config, deps)
  return {
    manner: JSON.stringify([issuer, audience, config.claims]),
    recall: (person) => identityOf(person, config),
    async verify(token) {
      try {
        const { payload } = await jwtVerify(token, keys, {
          issuer,
          audience,
          clockTolerance: toleranceSeconds,
          currentDate: new Date(deps.clock.nowMs()),
          algorithms: ALGORITHMS,
          requiredClaims: ['exp', 'sub'],
        })
        const person = personOf(payload, config)
        return person instanceof Problem ? person : identityOf(person, config)
      } catch (error) {
        if (error instanceof Problem) return error
        if (error instanceof errors.JOSEError) return problem('API_UNAUTHENTICATED', whyOf(error))
        throw error
      }
    },
  }
}

/** jose's codes in words; its messages could hold what the token says. */
function whyOf(error: errors.JOSEError): string {
  if (error instanceof errors.JWTExpired) return 'the token has expired'
  if (error instanceof errors.JWTClaimValidationFailed) return `the token’s claim "${error.claim}" is not accepted`
  return 'the request carries no valid token'
}

function personOf(payload: JWTPayload, { claims, groups }: OidcConfig): Person | Problem {
  const name = claimAt(payload, claims.name)
  if (typeof name !== 'string' || !/^[^\p{Cc}]{1,200}$/u.test(name) || name === OWN_NAME)
    return problem('API_FORBIDDEN', `the token’s claim "${claims.name}" names nobody`, {
      hint: '`api.oidc.claims.name` says which claim does',
    })
  const own = claimAt(payload, claims.groups)
  const members = new Set(Array.isArray(own) ? own : [own])
  const named = groups.map(({ group }) => group).filter((group) => members.has(group))
  return { name, subject: payload.sub ?? null, groups: [...new Set(named)], endsAtMs: (payload.exp ?? 0) * 1000 }
}

function identityOf(person: Person, { groups }: OidcConfig): Identity | Problem {
  const { name } = person
  const grants = groups.filter(({ group }) => person.groups.includes(group))
  if (grants.length === 0)
    return problem('API_FORBIDDEN', `"${name}" is in no group that may do anything here`, {
      hint: '`api.oidc.groups` has the groups, `api.oidc.claims.groups` the claim that they are read from',
    })
  return { ...person, via: 'oidc', grants }
}

/** A claim of that very name, or at that path: `realm_access.roles`. */
function claimAt(payload: JWTPayload, name: string): unknown {
  if (Object.hasOwn(payload, name)) return payload[name]
  return name.split('.').reduce<unknown>((value, key) => {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
    return Object.entries(value).find(([own]) => own === key)?.[1]
  }, payload)
}

/** The verifier of the config as it is now; made anew, with keys of its own, when that part of the config changes. */
export function followOidc(config: () => OidcConfig | null, deps: OidcKeysDeps): () => OidcVerifier | null {
  let made: { readonly of: string; readonly verifier: OidcVerifier } | null = null
  return () => {
    const now = config()
    if (now === null) return null
    const text = JSON.stringify(now)
    if (made?.of !== text) made = { of: text, verifier: createOidcVerifier(now, deps) }
    return made.verifier
  }
}
