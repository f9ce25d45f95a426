import type { Severity } from '../core/event.ts'
import type { FleetPlan } from '../core/fleet-plan.ts'
import type { Json, Plan, Sides } from '../core/plan.ts'
import type { CalendarSpec } from '../shared/calendar/spec.ts'
import type { KubernetesPlace } from '../shared/kubernetes/config.ts'
import type { ApiConfig } from './access.ts'
import type { AlertmanagerConfig } from './schema-alertmanager.ts'

export type { ApiConfig, ApiToken, TlsPaths } from './access.ts'

/** A checked config of the service, with all defaults applied. Secrets are still references. */
export interface Config {
  /** SHA-256 of the text, or of all its files' texts, those that it names too but for TLS's, hex, first 16 digits. */
  readonly hash: string
  /** One a file, in the order of the files' names. */
  readonly migrations: readonly [MigrationConfig, ...MigrationConfig[]]
  /** How often evidence is gathered, seconds. */
  readonly sweepSeconds: number
  /** What has not answered by then is missing, seconds; below the sweep. */
  readonly observeTimeoutSeconds: number
  /** By source kind: its settings. */
  readonly sources: Readonly<Record<string, Json>>
  /** By traffic kind: what its targets share; a kind that needs nothing there, or is not used, is left out. */
  readonly providers: Readonly<Record<string, Json>>
  /** null: no alert is taken, and none silenced. It follows the config at once. */
  readonly alertmanager: AlertmanagerConfig | null
  readonly api: ApiConfig
  readonly notify: NotifyConfig
  /** null: nobody keeps traces. */
  readonly tracing: TracingConfig | null
  /** Path of the SQLite file, relative to the config's folder; not used where there is `redis`. */
  readonly store: { readonly path: string }
  /** Where the store of several replicas is; without it, it is the file, and there is one process. */
  readonly redis?: RedisConfig
}

/** How Redis is reached. */
export interface RedisConfig {
  /** `redis://` or `rediss://`, without a password in it. */
  readonly url: string
  readonly username: string | null
  /** A secret reference; null: no password. */
  readonly password: string | null
  /** PEM file of the authorities to trust; null: the usual ones. */
  readonly ca: string | null
  /** All keys are `{prefix}:…`. */
  readonly prefix: string
  /** What has not answered by then has failed, seconds, > 0. */
  readonly timeoutSeconds: number
  /** Replicas of Redis that must have a write before it counts, ≥ 0. */
  readonly waitReplicas: number
}

/** One migration: what one file says of it. */
export interface MigrationConfig {
  /** Unique in the service. */
  readonly migration: string
  readonly clusters: Sides<string>
  /** In the order of the file; each workload's name is unique in the service. */
  readonly plans: readonly Plan[]
  /** What holds for the migration as a whole. */
  readonly fleet: FleetPlan
  /** How the API servers are reached; null: nothing of Kubernetes is looked at. */
  readonly kubernetes: Sides<KubernetesPlace> | null
  /** When traffic may be raised; null: always. It follows the config at once: it is in no plan. */
  readonly calendar: CalendarSpec | null
  /** By workload: its team, for who may do what. It follows the config at once, too. */
  readonly teams: Readonly<Record<string, string>>
  /** What the clusters cost; null: nobody said. */
  readonly costs: Costs | null
}

/** Prices of the two clusters, for the report. */
export interface Costs {
  /** ISO 4217. */
  readonly currency: string
  readonly oldPerHour: number
  readonly newPerHour: number
}

/** The plans of all migrations, in the order of the files. */
export function plansOf({ migrations }: Pick<Config, 'migrations'>): readonly Plan[] {
  return migrations.flatMap(({ plans }) => plans)
}

/** Where traces of Headgate itself go. */
export interface TracingConfig {
  readonly url: string
  readonly encoding: 'protobuf' | 'json'
  /** By name: references to their values. */
  readonly headers: Readonly<Record<string, string>>
  /** The part of all sweeps that is kept, from 0 to 1. */
  readonly sampleRatio: number
  readonly serviceName: string
  /** Guarded addresses that may be asked. */
  readonly allowAddresses: readonly string[]
}

/** Who is told of what. */
export interface NotifyConfig {
  /** The page that a topic's anchor is added to; null: nobody said. */
  readonly runbookUrl: string | null
  readonly channels: readonly ChannelConfig[]
}

/** One channel of notifications. */
export interface ChannelConfig {
  /** Unique in the service. */
  readonly name: string
  readonly kind: string
  readonly settings: Json
  /** What is quieter is not told. */
  readonly severity: Severity
  /** Only these; null: all, and what is about the whole service. */
  readonly workloads: readonly string[] | null
  readonly migrations: readonly string[] | null
  /** What comes within this time is told together, seconds; a page does not wait. */
  readonly groupSeconds: number
  readonly mostPerMinute: number
  /** Own texts; null: the built-in ones. */
  readonly template: { readonly title: string | null; readonly item: string | null }
}
