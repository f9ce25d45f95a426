import { isMissing, type Missing, missing } from '../core/observation.ts'
import type { SliMeasure } from '../core/plan.ts'
import type { Measure } from '../ports/source.ts'
import { parseSelector, type Selector } from '../shared/promql/selector.ts'

/** The label that names a bucket's boundary, and its value for the bucket that takes all events. */
export const BOUND_LABEL = 'le'
export const ALL_EVENTS = '+Inf'

export type HistogramMeasure = Extract<SliMeasure, { kind: 'histogram' | 'nativeHistogram' }>

/** The buckets of a classic histogram, all of them or the one that counts all events. */
export interface BucketSelectors {
  readonly each: Selector
  readonly all: Selector
}

/** Finds the buckets that a measure rests on, or says why it is refused. */
export function bucketsOf({ metric: text }: HistogramMeasure): BucketSelectors | Missing {
  const histogram = parseSelector(text)
  if ('refused' in histogram) return missing('refused', histogram.refused)
  const each = { ...histogram, metric: `${histogram.metric}_bucket` }
  const all = { label: BOUND_LABEL, op: '=', value: ALL_EVENTS } as const
  return { each, all: { ...each, matchers: [...each.matchers, all] } }
}

/** What happened in one bucket of a group: events at most as slow as its boundary. */
export interface Bucket {
  readonly grown: number
  /** The share of the group's series that have this boundary. */
  readonly ofSeries: number
}

/** By boundary in seconds; Infinity: all events. */
export type Buckets = Map<number, Bucket>

/** Adds to a bucket. Clients print a boundary of one second as 1, 1.0 or 1.000: all of them are one bucket. */
export function addBucket(buckets: Buckets, le: string, { grown, ofSeries }: Bucket): Buckets {
  const bound = boundOf(le)
  const before = buckets.get(bound)
  if (before === undefined) return buckets.set(bound, { grown, ofSeries })
  return buckets.set(bound, { grown: grown + before.grown, ofSeries: ofSeries + before.ofSeries })
}

/**
 * Counts of a group from its buckets. Only boundaries that all of its series have are given: where some pods have
 * others, a sum over a part of them would look like slowness. null: nothing counts all events.
 *
 * @param likely - Boundaries of another group. Where they are the same, both share the list.
 */
export function measureBuckets(
  buckets: Buckets,
  { metric, slowerThanSeconds }: HistogramMeasure,
  likely: readonly number[] = [],
): Measure | null {
  const total = buckets.get(Number.POSITIVE_INFINITY)?.grown
  if (total === undefined) return null
  const own = buckets.get(slowerThanSeconds)
  const bound = `the bound ${slowerThanSeconds} s`
  if (!own) return missing('empty', `${metric} has no bucket with ${bound}`)
  if (!isShared(own)) return missing('bad-answer', `not all series of ${metric} have a bucket with ${bound}`)

  const boundsSeconds: number[] = []
  for (const [seconds, bucket] of buckets) if (Number.isFinite(seconds) && isShared(bucket)) boundsSeconds.push(seconds)
  boundsSeconds.sort((a, b) => a - b)
  const slower: number[] = []
  for (const seconds of boundsSeconds) {
    const grown = buckets.get(seconds)?.grown ?? Number.NaN
    if (!isCount(grown)) return missing('not-a-number', `a count is ${grown}`)
    slower.push(Math.max(0, total - grown))
  }
  if (!isCount(total)) return missing('not-a-number', `a count is ${total}`)
  // A page may be made between two additions. What is slower than one boundary is slower than those below, too.
  for (let index = slower.length - 2; index >= 0; index--)
    slower[index] = Math.max(slower[index] ?? 0, slower[index + 1] ?? 0)
  const bad = slower[boundsSeconds.indexOf(slowerThanSeconds)]
  if (bad === undefined) return missing('empty', `${metric} has no bucket with ${bound}`)
  const isLikely = boundsSeconds.length === likely.length && boundsSeconds.every((bound, at) => bound === likely[at])
  return { kind: 'counts', total, bad, latencies: { boundsSeconds: isLikely ? likely : boundsSeconds, slower } }
}

/** As `measureBuckets`, of all groups; those without a total are left out. */
export function measureAll(
  groups: ReadonlyMap<string, Buckets | Missing>,
  measure: HistogramMeasure,
): ReadonlyMap<string, Measure> {
  const measures = new Map<string, Measure>()
  for (const [group, buckets] of groups) {
    const counts = isMissing(buckets) ? buckets : measureBuckets(buckets, measure)
    if (counts) measures.set(group, counts)
  }
  return measures
}

function isCount(value: number): boolean {
  return value >= 0 && value < Number.POSITIVE_INFINITY
}

/** Shares are added up from quotients, so a whole may be a hair's breadth off. */
function isShared({ ofSeries }: Bucket): boolean {
  return ofSeries > 1 - 1e-9
}

/** NaN for a text that is no boundary. */
function boundOf(le: string): number {
  if (le === ALL_EVENTS) return Number.POSITIVE_INFINITY
  return le.trim() === '' ? Number.NaN : Number(le)
}
