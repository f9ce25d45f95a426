import type { ApiClient, ApiToken, RateLimits, SessionConfig } from '../policy/access.ts'
import type { Reloaded } from '../policy/changes.ts'
import type { AlertmanagerConfig } from '../policy/schema-alertmanager.ts'
import type { AlertIntake } from '../ports/alerts.ts'
import type { Audit } from '../ports/audit.ts'
import type { Control } from '../ports/control.ts'
import type { Residuals } from '../ports/residual.ts'
import type { Clock, Log, Random } from '../ports/runtime.ts'
import type { Journal } from '../ports/store.ts'
import type { OidcVerifier } from './oidc.ts'
import type { Tls } from './tls.ts'

/** What the API is made of. */
export interface ApiOptions {
  readonly control: Control
  readonly journal: Journal
  readonly metrics: MetricsText
  readonly report: MakeReport
  readonly residuals: Residuals
  readonly alerts: AlertIntake
  /** Asked at each notification, as a reload counts at once; null: no alert is taken. */
  readonly alertmanager: () => AlertmanagerConfig | null
  /** Where it will listen: on loopback, requests for other host names are refused. */
  readonly host: string
  /** Asked at each request, so that a reloaded config counts at once. */
  readonly tokens: () => readonly ApiToken[]
  /** Who asks by a certificate. */
  readonly clients: () => readonly ApiClient[]
  /** null: plain HTTP. */
  readonly tls: Tls | null
  /** Who signs in elsewhere; null: nobody. Asked at each request, too, as are the next four. */
  readonly oidc: () => OidcVerifier | null
  readonly rates: () => RateLimits
  readonly session: () => SessionConfig
  /** What sessions are sealed with where the config names no key: as long as the process lives. */
  readonly startKey: string
  /** Where people reach it; null: nobody said. */
  readonly publicUrl: () => string | null
  /** null: it has none. */
  readonly teamOf: (workload: string) => string | null
  /** Told of what was done, and of what was not allowed. */
  readonly audit: Audit
  /** Reads the config again; with any problem the old one stays. */
  readonly reload: () => Promise<Reloaded>
  /** Proxies that are believed about the caller's address: addresses and ranges. */
  readonly trustedProxies: readonly string[]
  /** Turns a reference into its value, read now. Throws CONFIG_SECRET_UNRESOLVED. */
  readonly secret: (reference: string) => string
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly limits?: Partial<ApiLimits>
}

export interface ReportQuery {
  readonly format: 'html' | 'json' | 'md' | 'svg'
  /** null: the only one. */
  readonly migration: string | null
  /** Where Markdown finds the plots; null: nowhere. */
  readonly plotPath: string | null
}

/** The text of a report. Throws API_NOT_FOUND, or API_BAD_REQUEST where it must be said which migration is meant. */
export type MakeReport = (query: ReportQuery) => Promise<string>

/** The exposition that `/metrics` answers with. */
export interface MetricsText {
  readonly contentType: string
  text(): Promise<string>
}

export interface ApiLimits {
  /** Streams open at a time. */
  readonly streams: number
  /** Of these, by one token or person: nobody keeps others from looking. */
  readonly streamsEach: number
  /** A comment on an idle stream, so that proxies keep it open, seconds. */
  readonly heartbeatSeconds: number
  /** A reader that takes nothing for so long is disconnected, seconds. */
  readonly stallSeconds: number
  /** How long a close waits for requests that are being answered, seconds. */
  readonly drainSeconds: number
}

export const DEFAULT_LIMITS: ApiLimits = {
  streams: 64,
  streamsEach: 16,
  heartbeatSeconds: 15,
  stallSeconds: 30,
  drainSeconds: 5,
}

/** Bytes of a notification: a group of alerts comes in one. */
export const ALERTS_LIMIT_BYTES = 2 * 1024 * 1024

/** Bytes of a request's body. */
export const BODY_LIMIT_BYTES = 64 * 1024
