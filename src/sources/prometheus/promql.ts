import type { SliSpec } from '../../core/plan.ts'
import { type Selector, selectorText } from '../../shared/promql/selector.ts'
import { BOUND_LABEL, type BucketSelectors } from '../buckets.ts'
import type { PrometheusSettings } from './settings.ts'

type Spans = Pick<PrometheusSettings, 'staleAfterSeconds' | 'gapToleranceSeconds'>

/**
 * PromQL for how much a counter grew in the `tickMs` before the query's time, summed by cluster and workload. Over
 * ticks that follow each other the answers add up to the counter's own growth: nothing lost, nothing twice.
 *
 * `increase()` does not do that: it misses the first sample of a new series (the very first error), spreads the rest
 * over the window's edges, and finds nothing in a tick shorter than two scrapes. Here each series gives
 *
 *     now      the newest sample, at most `staleAfter` old. last_over_time() passes over staleness markers, so a series
 *              that ends still hands in what it counted last.
 *     before   what `now` was at the tick's beginning. It looks further back, so a series that was away goes on where
 *              it stopped, and what it counted meanwhile falls into the tick that sees it again.
 *     growth   now − before. Where that is negative the counter was reset, and where there is no `before` the series is
 *              new: both count from zero.
 */
export function growthQuery(selector: Selector, labels: SliSpec['labels'], tickMs: number, spans: Spans): string {
  const { now, before } = samples(selector, tickMs, spans)
  return `${by(labels)} (${now} - ${before} >= 0 or ${now})`
}

/** As `growthQuery`, without the groups that did not exist before: their first value is history, not growth. */
export function baselinedGrowthQuery(
  selector: Selector,
  labels: SliSpec['labels'],
  tickMs: number,
  spans: Spans,
): string {
  const { before } = samples(selector, tickMs, spans)
  return `${growthQuery(selector, labels, tickMs, spans)} and ${by(labels)} (${before})`
}

/**
 * As `baselinedGrowthQuery`, of all buckets of histograms, by cluster, workload and boundary. The buckets of one
 * histogram begin anew together: after a restart a bucket that has already passed its former value would hide it.
 */
export function bucketGrowthQuery(
  buckets: BucketSelectors,
  labels: SliSpec['labels'],
  tickMs: number,
  spans: Spans,
): string {
  const { now, before } = samples(buckets.each, tickMs, spans)
  const growth = `${now} - ${before} unless ignoring (${BOUND_LABEL}) ${now} < ${before} or ${now}`
  const known = samples(buckets.all, tickMs, spans).before
  return `${by(labels, BOUND_LABEL)} (${growth}) and on (${names(labels)}) ${known}`
}

/**
 * The share of a group's histograms that have a bucket, where it is not all of them: most often an empty answer. Plain
 * selectors, since a process that now has other buckets must not be taken for one that has both.
 */
export function unevenBucketsQuery({ each, all }: BucketSelectors, labels: SliSpec['labels']): string {
  const some = `count by (${names(labels)}, ${BOUND_LABEL}) (${selectorText(each)})`
  return `${some} / on (${names(labels)}) group_left ${countQuery(all, labels)} != 1`
}

/**
 * As `growthQuery` of the part, without the groups where not each series of the whole has one: a sum over some of the
 * pods is none.
 */
export function evenGrowthQuery(
  { part, total }: { readonly part: Selector; readonly total: Selector },
  labels: SliSpec['labels'],
  tickMs: number,
  spans: Spans,
): string {
  return `${growthQuery(part, labels, tickMs, spans)} unless ${countQuery(part, labels)} != ${countQuery(total, labels)}`
}

function countQuery(selector: Selector, labels: SliSpec['labels']): string {
  return `count by (${names(labels)}) (${selectorText(selector)})`
}

/** Puts the window into somebody's own PromQL. */
export function windowedQuery(promql: string, windowSeconds: number): string {
  return promql.replaceAll('$window', `${windowSeconds}s`)
}

function samples(selector: Selector, tickMs: number, { staleAfterSeconds, gapToleranceSeconds }: Spans) {
  const text = selectorText(selector)
  return {
    now: `last_over_time(${text}[${staleAfterSeconds}s])`,
    before: `last_over_time(${text}[${gapToleranceSeconds}s] offset ${Math.round(tickMs)}ms)`,
  }
}

function by(labels: SliSpec['labels'], ...more: readonly string[]): string {
  return `sum by (${[names(labels), ...more].join(', ')})`
}

function names({ cluster, workload }: SliSpec['labels']): string {
  return `${cluster}, ${workload}`
}
