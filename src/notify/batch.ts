import type { HeadgateEvent, JournalRow } from '../core/event.ts'
import { severityOf } from '../core/explain.ts'
import type { ChannelConfig } from '../policy/config.ts'
import type { ChannelKind, Incident, NotificationItem } from '../ports/channel.ts'
import { incidentOf } from './incident.ts'
import { markOf } from './marks.ts'
import { LOUDNESS } from './words.ts'

/** So many events are told in one notification; of more the loudest, then the newest. */
export const MOST_ITEMS = 20

/** So many marks are taken at once; none is left out, the rest comes after them. */
export const MOST_MARKS = 100

/** What a channel has to do with events. */
export type Route = Pick<ChannelConfig, 'severity' | 'workloads' | 'migrations'>

export interface BatchDeps {
  readonly takes: ChannelKind['takes']
  readonly route: Route
  /** null: not known, or about the whole service. */
  readonly migrationOf: (workload: string) => string | null
  readonly itemOf: (row: JournalRow) => NotificationItem
}

/** What is told at once of one migration. */
export interface Group {
  readonly migration: string | null
  readonly items: readonly NotificationItem[]
  readonly leftOut: number
  readonly incidents: readonly Incident[]
}

interface Trouble {
  /** What opened it, if that was within this batch. */
  opened: NotificationItem | null
  /** What ended it; null: it is not over. */
  over: NotificationItem | null
}

interface Growing {
  readonly items: NotificationItem[]
  leftOut: number
  readonly troubles: Map<string, Trouble>
}

/**
 * Rows of the journal, as one channel is to be told of them: those that concern it, by migration, and what they do to its open
 * incidents. What it holds is bounded, however many rows are added. The same rows make the same batch.
 */
export class Batch {
  /** The newest row that was added. */
  seq: number
  /** When the first event that is to be told happened; null: there is none yet. */
  sinceMs: number | null = null
  isLoud = false
  readonly #deps: BatchDeps
  readonly #open: Set<string>
  readonly #groups = new Map<string | null, Growing>()
  readonly #marks: Group[] = []

  /** Goes on after row `seq`, with these incidents open. */
  constructor(seq: number, open: readonly string[], deps: BatchDeps) {
    this.seq = seq
    this.#open = new Set(open)
    this.#deps = deps
  }

  /** Adds rows in order, until it is full. */
  add(rows: readonly JournalRow[]): void {
    for (const row of rows) {
      if (this.isFull()) return
      this.#addOne(row)
      this.seq = row.seq
    }
  }

  isEmpty(): boolean {
    return this.#groups.size + this.#marks.length === 0
  }

  /** It takes no more rows: what is in it is to be told first. */
  isFull(): boolean {
    return this.#marks.length >= MOST_MARKS
  }

  /** Keys of the incidents that are open after it. */
  open(): readonly string[] {
    return [...this.#open]
  }

  /** In the order in which their migrations came up; marks each by itself, in order. */
  groups(): readonly Group[] {
    const groups = [...this.#groups].map(([migration, { items, leftOut, troubles }]) => ({
      migration,
      items,
      leftOut,
      incidents: [...troubles].flatMap(([key, trouble]) => incidentsOf(key, trouble)),
    }))
    return [...groups, ...this.#marks]
  }

  #addOne(row: JournalRow): void {
    const { event } = row
    const { takes, route, migrationOf, itemOf } = this.#deps
    const migration = event.workload === null ? null : migrationOf(event.workload)
    if (!isRouted(event, migration, route)) return
    const isLoud = LOUDNESS[severityOf(event)] >= LOUDNESS[route.severity]
    if (takes === 'marks') {
      this.#addMark(row, migration, isLoud)
      return
    }
    const { opens, ends } = incidentOf(event, migration ?? event.runId)
    const ended = [...this.#open].filter(ends)
    if (!isLoud && ended.length === 0) return

    const item = itemOf(row)
    const group = this.#groupOf(migration)
    for (const key of ended) {
      this.#open.delete(key)
      group.troubles.set(key, { opened: group.troubles.get(key)?.opened ?? null, over: item })
    }
    if (opens !== null && isLoud) {
      this.#open.add(opens)
      group.troubles.set(opens, { opened: item, over: null })
    }
    keep(group, item)
    this.sinceMs ??= event.atMs
    this.isLoud ||= item.severity === 'page'
  }

  #addMark(row: JournalRow, migration: string | null, isLoud: boolean): void {
    const mark = markOf(row.event)
    // An end is marked however quiet it is: what it ends may have been loud.
    if (mark === null || (mark.begins !== null && !isLoud)) return
    this.#marks.push({ migration, items: [this.#deps.itemOf(row)], leftOut: 0, incidents: [] })
    this.sinceMs ??= row.event.atMs
    // It has a time of its own, and waits for no other.
    this.isLoud = true
  }

  #groupOf(migration: string | null): Growing {
    const group = this.#groups.get(migration) ?? { items: [], leftOut: 0, troubles: new Map() }
    this.#groups.set(migration, group)
    return group
  }
}

function isRouted({ workload }: HeadgateEvent, migration: string | null, { workloads, migrations }: Route): boolean {
  if (workloads !== null && (workload === null || !workloads.includes(workload))) return false
  return migrations === null || (migration !== null && migrations.includes(migration))
}

function incidentsOf(key: string, { opened, over }: Trouble): readonly Incident[] {
  // One that came and went is told as both: somebody should know that it was there.
  return [
    ...(opened === null ? [] : [{ key, change: 'open', item: opened } as const]),
    ...(over === null ? [] : [{ key, change: 'over', item: over } as const]),
  ]
}

function keep(group: Growing, item: NotificationItem): void {
  group.items.push(item)
  if (group.items.length <= MOST_ITEMS) return
  const quietest = Math.min(...group.items.map(({ severity }) => LOUDNESS[severity]))
  const index = group.items.findIndex(({ severity }) => LOUDNESS[severity] === quietest)
  group.items.splice(index, 1)
  group.leftOut += 1
}
