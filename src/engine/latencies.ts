import type { Latencies } from '../core/observation.ts'
import type { Sides } from '../core/plan.ts'
import type { BucketCounts, Measure } from '../ports/source.ts'

/**
 * The latencies of both clusters at the boundaries that both have: a new release may come with other buckets. null:
 * there are no buckets, or none in common.
 */
export function latenciesOf(measures: Sides<Measure>): Latencies | null {
  const [old, fresh] = [bucketsOf(measures.old), bucketsOf(measures.new)]
  const first = old ?? fresh
  if (first === null) return null
  if (old !== null && fresh !== null && isSame(old.boundsSeconds, fresh.boundsSeconds))
    return { boundsSeconds: old.boundsSeconds, slower: { old: old.slower, new: fresh.slower } }
  const boundsSeconds = first.boundsSeconds.filter((bound) => fresh === null || fresh.boundsSeconds.includes(bound))
  if (boundsSeconds.length === 0) return null
  return { boundsSeconds, slower: { old: slowerThan(old, boundsSeconds), new: slowerThan(fresh, boundsSeconds) } }
}

/** As nearly always. */
function isSame(a: readonly number[], b: readonly number[]): boolean {
  return a === b || (a.length === b.length && a.every((bound, index) => bound === b[index]))
}

function bucketsOf(measure: Measure): BucketCounts | null {
  return measure.kind === 'counts' ? measure.latencies : null
}

function slowerThan(buckets: BucketCounts | null, bounds: readonly number[]): readonly number[] | null {
  if (buckets === null) return null
  return buckets.slower.filter((_, index) => bounds.includes(buckets.boundsSeconds[index] ?? Number.NaN))
}
