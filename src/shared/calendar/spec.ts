/** A calendar as the config has it, checked: plain JSON. */
export interface CalendarSpec {
  /** IANA's name of the zone that everything without one of its own is in. */
  readonly timeZone: string
  /** Raises happen within one of these alone; empty: at any time. */
  readonly windows: readonly CronPeriod[]
  readonly freezes: readonly Freeze[]
  readonly peaks: readonly CronPeriod[]
}

/** Begins whenever the wall clock reads what the expression says, and lasts so long in real time. */
export interface CronPeriod {
  /** For sentences; by default the expression. */
  readonly name: string
  /** Five fields, or a nickname such as `@daily`. */
  readonly cron: string
  readonly forSeconds: number
}

export type Freeze =
  | { readonly name: string; readonly fromMs: number; readonly toMs: number }
  /** The text of an ICS file: each of its events is a freeze. */
  | { readonly file: string; readonly ics: string }
