import type { Json, Plan } from '../core/plan.ts'
import type { CalendarSpec } from '../shared/calendar/spec.ts'

/** A checked config, with all defaults applied. Secrets are still references. */
export interface Config {
  /** SHA-256 of the text, and of the files that it names, hex, first 16 digits. */
  readonly hash: string
  readonly migration: string
  readonly clusters: { readonly old: string; readonly new: string }
  /** How often evidence is gathered, seconds. */
  readonly sweepSeconds: number
  /** What has not answered by then is missing, seconds; below the sweep. */
  readonly observeTimeoutSeconds: number
  /** By source kind: its settings. */
  readonly sources: Readonly<Record<string, Json>>
  /** By traffic kind: what its targets share; a kind that needs nothing there, or is not used, is left out. */
  readonly providers: Readonly<Record<string, Json>>
  /** In the order of the file. */
  readonly plans: readonly Plan[]
  /** When traffic may be raised; null: always. It follows the config at once: it is in no plan. */
  readonly calendar: CalendarSpec | null
  readonly api: ApiConfig
  /** Path of the SQLite file, relative to the config file's folder. */
  readonly store: { readonly path: string }
}

export interface ApiConfig {
  readonly host: string
  readonly port: number
  readonly tokens: readonly ApiToken[]
}

export interface ApiToken {
  /** Who uses it: the actor in the journal. */
  readonly name: string
  readonly role: 'viewer' | 'operator'
  /** Steps that ask for one of these roles can be approved with it. */
  readonly approves: readonly string[]
  /** A secret reference. */
  readonly token: string
}
