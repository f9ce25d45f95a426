import { type Missing, missing } from '../../core/observation.ts'
import type { SliSpec } from '../../core/plan.ts'
import { groupKey, type Measure } from '../../ports/source.ts'
import type { Labels } from '../../shared/promql/matching.ts'
import { ALL_EVENTS, addBucket, BOUND_LABEL, type Buckets } from '../buckets.ts'
import type { Sums } from '../counters.ts'
import type { Reading } from './growth.ts'
import type { ScrapeTarget } from './settings.ts'

/** What one target gave this time. */
export type TargetGrowth = TargetSeen &
  (
    | { readonly failure: Missing }
    /** `grown` of a query: null where there was no baseline. */
    | { readonly failure: null; readonly grown: (query: string) => readonly Reading[] | null }
  )

interface TargetSeen {
  readonly target: ScrapeTarget
  /** The labels of the series of a query, now or before. */
  readonly seen: (query: string) => readonly Labels[]
}

/** What an SLI asks of each page, and how its counts come of what grew. */
export interface Question {
  /** The first one's series say which groups a target has. */
  readonly queries: readonly { readonly key: string }[]
  /** `grown` in the order of the queries, of all targets that can be used. */
  join(grown: readonly (readonly Reading[])[]): ReadonlyMap<string, Measure>
}

/**
 * Growth by group, over the targets that answered. A group counts when one of its targets did: one pod that does not
 * answer must not blind the rest, and what it counted comes with its next page. A group none of whose targets can be
 * used is missing, with the reason. Missing altogether: no target answers.
 */
export function measureGroups(
  labels: SliSpec['labels'],
  { queries, join }: Question,
  targets: readonly TargetGrowth[],
): ReadonlyMap<string, Measure> | Missing {
  const failures = targets.map(({ failure }) => failure).filter((failure) => failure !== null)
  const [first] = failures
  if (first && failures.length === targets.length) return first

  const grown = queries.map((): Reading[] => [])
  const excuses = new Map<string, Missing>()
  for (const target of targets) {
    const readings = queries.map(({ key }) => (target.failure === null ? target.grown(key) : null))
    if (readings.every((some) => some !== null)) {
      for (const [index, some] of readings.entries()) grown[index]?.push(...some)
      continue
    }
    const excuse = target.failure ?? missing('no-baseline', 'its first page was read just now')
    for (const key of keysOf(target, queries[0]?.key ?? '', labels)) if (!excuses.has(key)) excuses.set(key, excuse)
  }
  const groups = new Map(join(grown))
  for (const [key, excuse] of excuses) if (!groups.has(key)) groups.set(key, excuse)
  return groups
}

/** Sums by group. */
export function sumReadings(readings: readonly Reading[], labels: SliSpec['labels']): Sums {
  const sums = new Map<string, number>()
  for (const reading of readings) {
    const key = keyOf(reading.labels, labels)
    if (key !== null) sums.set(key, (sums.get(key) ?? 0) + reading.value)
  }
  return sums
}

/** Buckets by group. */
export function bucketReadings(readings: readonly Reading[], labels: SliSpec['labels']): ReadonlyMap<string, Buckets> {
  const groups = new Map<string, Buckets>()
  const isWhole = (reading: Reading) => reading.labels[BOUND_LABEL] === ALL_EVENTS
  const series = sumReadings(
    readings.filter(isWhole).map((reading) => ({ ...reading, value: 1 })),
    labels,
  )
  for (const { labels: own, value } of readings) {
    const [key, le] = [keyOf(own, labels), own[BOUND_LABEL]]
    const all = key === null ? undefined : series.get(key)
    // A group in which nothing counts all events has no counts.
    if (key === null || le === undefined || typeof all !== 'number') continue
    groups.set(key, addBucket(groups.get(key) ?? new Map(), le, { grown: value, ofSeries: 1 / all }))
  }
  return groups
}

/** The groups that a target has a say in: by its own labels, or by its series so far. */
function keysOf({ target, seen }: TargetGrowth, query: string, labels: SliSpec['labels']): string[] {
  const own = keyOf(target.labels, labels)
  return own === null
    ? seen(query)
        .map((series) => keyOf(series, labels))
        .filter((key) => key !== null)
    : [own]
}

/** null: the series lacks one of the labels, so it belongs to no group. */
function keyOf(labels: Labels, { cluster, workload }: SliSpec['labels']): string | null {
  const [c, w] = [labels[cluster], labels[workload]]
  return c === undefined || w === undefined ? null : groupKey(c, w)
}
