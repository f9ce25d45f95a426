import type { ParsedConfig } from './schema.ts'
import type { ROLES } from './schema-api.ts'

export type Role = (typeof ROLES)[number]

/** What somebody may do, and where. */
export interface Grant {
  readonly role: Role
  /** Steps that ask for one of these roles can be approved with it. */
  readonly approves: readonly string[]
  readonly scope: Scope
}

/** All that is named must fit; null: any. */
export interface Scope {
  readonly migrations: readonly string[] | null
  readonly teams: readonly string[] | null
  readonly workloads: readonly string[] | null
}

export const EVERYTHING: Scope = { migrations: null, teams: null, workloads: null }

export interface ApiConfig {
  /** Where people reach it, without a slash at its end; null: nobody said. */
  readonly publicUrl: string | null
  readonly host: string
  readonly port: number
  /** null: plain HTTP. */
  readonly tls: TlsPaths | null
  readonly tokens: readonly ApiToken[]
  readonly clients: readonly ApiClient[]
  /** null: nobody signs in. */
  readonly oidc: OidcConfig | null
  readonly session: SessionConfig
  readonly limits: RateLimits
  /** Addresses and ranges. */
  readonly trustedProxies: readonly string[]
  /** Relative to the config's folder; null: the log alone. */
  readonly auditPath: string | null
}

export interface ApiToken extends Grant {
  /** Who uses it: the actor in the journal. */
  readonly name: string
  /** A secret reference. */
  readonly token: string
}

/** Who asks by a certificate. */
export interface ApiClient extends Grant {
  /** The actor in the journal; no token has it. */
  readonly name: string
  /** What tells its certificate: an alternative name (`DNS:NAME` and the like), or all of its subject (RFC 2253). */
  readonly certificate: { readonly san: string } | { readonly subject: string }
}

/** PEM files, relative to the config's folder. */
export interface TlsPaths {
  readonly cert: string
  readonly key: string
  /** null: no client is asked for a certificate. */
  readonly clientCa: string | null
}

export interface OidcConfig {
  readonly issuer: string
  readonly audience: string
  /** null: as the issuer's discovery document says. */
  readonly jwksUrl: string | null
  readonly toleranceSeconds: number
  readonly claims: { readonly name: string; readonly groups: string }
  readonly groups: readonly (Grant & { readonly group: string })[]
}

/** Of pages. */
export interface SessionConfig {
  /** A secret reference; null: a key of the process's own, which ends with it. */
  readonly key: string | null
  readonly maxHours: number
}

/** Requests a minute. */
export interface RateLimits {
  readonly reads: number
  readonly changes: number
  readonly refusals: number
}

/** The API's part of a config that passed every check. */
export function apiOf({
  tokens,
  clients,
  tls,
  oidc,
  audit,
  publicUrl,
  session,
  ...api
}: ParsedConfig['api']): ApiConfig {
  const { host, port, limits, trustedProxies } = api
  return {
    publicUrl: publicUrl?.replace(/\/+$/, '') ?? null,
    ...{ host, port, limits, trustedProxies },
    session: { key: session.key ?? null, maxHours: session.maxHours },
    tls: tls ? { cert: tls.cert, key: tls.key, clientCa: tls.clientCa ?? null } : null,
    tokens: tokens.map((token) => ({ ...token, scope: scopeOf(token.scope) })),
    clients: clients.map(({ name, role, approves, scope, san, subject }) => ({
      ...{ name, role, approves, scope: scopeOf(scope) },
      certificate: san === undefined ? { subject: subject ?? '' } : { san },
    })),
    oidc: oidc
      ? {
          issuer: oidc.issuer,
          audience: oidc.audience,
          jwksUrl: oidc.jwksUrl ?? null,
          toleranceSeconds: oidc.clockTolerance,
          claims: oidc.claims,
          groups: oidc.groups.map((group) => ({ ...group, scope: scopeOf(group.scope) })),
        }
      : null,
    auditPath: audit?.path ?? null,
  }
}

function scopeOf(written: ParsedConfig['api']['tokens'][number]['scope']): Scope {
  const { migrations, teams, workloads } = written
  return { migrations: migrations ?? null, teams: teams ?? null, workloads: workloads ?? null }
}
