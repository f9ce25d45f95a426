import type { SliSpec } from '../../core/plan.ts'
import { quote } from '../../shared/promql/literal.ts'
import { type Selector, selectorText } from '../../shared/promql/selector.ts'
import { ALL_EVENTS, BOUND_LABEL } from '../buckets.ts'

/**
 * Boundaries to look at, seconds: 8 ms to 8 s. A native histogram has its own ones, and they change under way, but
 * powers of two are among them at every resolution from schema 0 on: there nothing is interpolated.
 */
const LADDER_SECONDS: readonly number[] = Array.from({ length: 11 }, (_, index) => 2 ** (index - 7))

/**
 * PromQL for how many events at most as slow as each boundary a native histogram counted in the `tickMs` before the
 * query's time, by cluster, workload and boundary, as `bucketGrowthQuery` has it of a classic one. A process counts from
 * its second sample on: ended and absent ones have no value at that moment, and so no growth.
 */
export function nativeBucketsQuery(
  histogram: Selector,
  slowerThanSeconds: number,
  labels: SliSpec['labels'],
  tickMs: number,
): string {
  const bounds = [...new Set([...LADDER_SECONDS, slowerThanSeconds])].sort((a, b) => a - b)
  const named = (growth: string, le: string) => `label_replace(${growth}, ${quote(BOUND_LABEL)}, ${quote(le)}, "", "")`
  return [
    named(nativeGrowthQuery(histogram, null, labels, tickMs), ALL_EVENTS),
    ...bounds.map((bound) => named(nativeGrowthQuery(histogram, bound, labels, tickMs), String(bound))),
  ].join(' or ')
}

/** The growth up to one boundary; null: of all events. A count that fell began anew, from zero. */
export function nativeGrowthQuery(
  histogram: Selector,
  boundSeconds: number | null,
  { cluster, workload }: SliSpec['labels'],
  tickMs: number,
): string {
  const now = selectorText(histogram)
  const before = `${now} offset ${Math.round(tickMs)}ms`
  const goesOn = `(histogram_count(${now}) >= bool histogram_count(${before}))`
  return `sum by (${cluster}, ${workload}) (${upTo(boundSeconds, now)} - ${upTo(boundSeconds, before)} * ${goesOn})`
}

/** A fraction of nothing is no number. Counts are whole, and what a quotient left of that is rounded away. */
function upTo(boundSeconds: number | null, samples: string): string {
  const count = `histogram_count(${samples})`
  if (boundSeconds === null) return count
  return `(round(histogram_fraction(-Inf, ${boundSeconds}, ${samples}) * ${count}) >= 0 or 0 * ${count})`
}
