import { type Missing, missing } from '../../core/observation.ts'
import type { SliSpec } from '../../core/plan.ts'
import { groupKey, type Measure } from '../../ports/source.ts'
import { joinCounts, type PartRule } from '../counters.ts'
import type { Reading } from './growth.ts'
import type { Labels } from './matching.ts'
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

interface Queries {
  readonly total: { readonly key: string }
  readonly part: { readonly key: string }
  readonly counters: PartRule
}

/**
 * Growth by group, over the targets that answered. A group counts when one of its targets did: one pod that does not
 * answer must not blind the rest, and what it counted comes with its next page. A group none of whose targets can be
 * used is missing, with the reason. Missing altogether: no target answers.
 */
export function sumGroups(
  labels: SliSpec['labels'],
  { total, part, counters }: Queries,
  targets: readonly TargetGrowth[],
): ReadonlyMap<string, Measure> | Missing {
  const failures = targets.map(({ failure }) => failure).filter((failure) => failure !== null)
  const [first] = failures
  if (first && failures.length === targets.length) return first

  const totals = new Map<string, number>()
  const parts = new Map<string, number>()
  const excuses = new Map<string, Missing>()
  for (const target of targets) {
    const grown = target.failure === null ? { totals: target.grown(total.key), parts: target.grown(part.key) } : null
    if (grown?.totals && grown.parts) {
      addAll(totals, grown.totals, labels)
      addAll(parts, grown.parts, labels)
    } else {
      const excuse = target.failure ?? missing('no-baseline', 'its first page was read just now')
      for (const key of keysOf(target, total.key, labels)) if (!excuses.has(key)) excuses.set(key, excuse)
    }
  }
  const groups = new Map(joinCounts(totals, parts, counters))
  for (const [key, excuse] of excuses) if (!groups.has(key)) groups.set(key, excuse)
  return groups
}

function addAll(sums: Map<string, number>, readings: readonly Reading[], labels: SliSpec['labels']): void {
  for (const reading of readings) {
    const key = keyOf(reading.labels, labels)
    if (key !== null) sums.set(key, (sums.get(key) ?? 0) + reading.value)
  }
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
