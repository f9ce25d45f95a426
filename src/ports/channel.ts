import type { EventType, Severity } from '../core/event.ts'
import type { AdapterContext, SettingsSchema } from './kind.ts'

/** A kind of way to tell people: a registry line, its settings, its adapter. */
export interface ChannelKind<Settings = unknown> {
  /** Its key in the config, such as `slack`. */
  readonly kind: string
  readonly settings: SettingsSchema<Settings>
  /**
   * `messages`: it shows text. `incidents`: it has incidents by key, which open and end, and no use for anything else. `marks`:
   * it shows what happened on graphs, each event by itself.
   */
  readonly takes: 'messages' | 'incidents' | 'marks'
  /** Connects to nothing yet. The settings are what its schema gave. */
  open(settings: Settings, context: AdapterContext): Channel
}

/** One place where people are told. */
export interface Channel {
  /**
   * Tells it once; the caller tries again. Never throws: what went wrong is a delivery, without anything of a secret. Heeds the
   * signal. The same notification sent twice has the same id and incident keys.
   */
  send(notification: Notification, signal: AbortSignal): Promise<Delivery>
  close(): Promise<void>
}

/** What came of telling. */
export type Delivery =
  | { readonly outcome: 'accepted' }
  /** Not now: unreachable, throttled, or something that a person must mend. Tried again, after that time if it says one. */
  | { readonly outcome: 'later'; readonly detail: string; readonly retryAfterSeconds: number | null }
  /** This very notification is not taken, and never will be. */
  | { readonly outcome: 'refused'; readonly detail: string }

/** What one channel is told at once, of one migration. */
export interface Notification {
  /** Unique, and the same after a restart. */
  readonly id: string
  /** null: about the whole service. */
  readonly migration: string | null
  /** The loudest of its items. */
  readonly severity: Severity
  /** One line. */
  readonly title: string
  /** All of it for people, plain, in lines. */
  readonly text: string
  /** In the order of the journal; of many the loudest, then the newest. */
  readonly items: readonly NotificationItem[]
  /** So many more happened, and are only in the journal. */
  readonly leftOut: number
  /** What opened or ended, in order. */
  readonly incidents: readonly Incident[]
}

/** One event, for people. */
export interface NotificationItem {
  /** Its row in the journal. */
  readonly seq: number
  readonly atMs: number
  readonly runId: string
  readonly event: EventType
  readonly severity: Severity
  /** null: about the whole service. */
  readonly workload: string | null
  readonly actor: string
  /** What it is on a graph; null: nothing. */
  readonly mark: Mark | null
  /** One sentence with the numbers. */
  readonly what: string
  /** The evidence, a gate a line. */
  readonly why: readonly string[]
  /** What Headgate did. */
  readonly did: string
  /** What a person may do. */
  readonly next: string
  readonly links: readonly Link[]
  /** PromQL that shows it. */
  readonly queries: readonly string[]
}

export interface Link {
  readonly label: string
  readonly url: string
}

/** What is marked on graphs. */
export type MarkKind = 'step' | 'halt' | 'revert' | 'end'

/** What an event does to the marks of its workload. */
export interface Mark {
  /** A mark that begins with it; null: none. */
  readonly begins: MarkKind | null
  /** Marks that are over with it, if they were there. */
  readonly ends: readonly MarkKind[]
}

export interface Incident {
  /** At most 255 characters; the same for the opening and the end. */
  readonly key: string
  readonly change: 'open' | 'over'
  /** What opened or ended it. */
  readonly item: NotificationItem
}
