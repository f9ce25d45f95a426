import { isMissing, type Missing, missing } from '../../core/observation.ts'
import type { SliSpec } from '../../core/plan.ts'
import type { Measure } from '../../ports/source.ts'
import { parseSelector } from '../../shared/promql/selector.ts'
import { scaled, tickShare, valuesOf } from '../asked.ts'
import { addBucket, BOUND_LABEL, type Buckets, bucketsOf, type HistogramMeasure, measureAll } from '../buckets.ts'
import { countersOf, joinCounts, type Sums } from '../counters.ts'
import { splitKey } from './answer.ts'
import { nativeBucketsQuery, nativeGrowthQuery } from './native.ts'
import {
  baselinedGrowthQuery,
  bucketGrowthQuery,
  evenGrowthQuery,
  growthQuery,
  unevenBucketsQuery,
  windowedQuery,
} from './promql.ts'
import type { PrometheusSettings } from './settings.ts'

/** What to ask about one SLI, and how to read the answers. */
export interface Questions {
  readonly queries: readonly string[]
  /** A label whose values are told apart within each group; null: there is none. */
  readonly within: string | null
  /** `answers` are in the order of the queries. */
  read(answers: readonly Sums[]): ReadonlyMap<string, Measure>
}

const NOTHING: Sums = new Map()

/** The questions of a tick of `tickMs`; missing: this SLI cannot be asked for. */
export function questionsOf(sli: SliSpec, tickMs: number, settings: PrometheusSettings): Questions | Missing {
  const { measure, labels } = sli
  switch (measure.kind) {
    case 'histogram': {
      const buckets = bucketsOf(measure)
      if (isMissing(buckets)) return buckets
      return {
        queries: [bucketGrowthQuery(buckets, labels, tickMs, settings), unevenBucketsQuery(buckets, labels)],
        within: BOUND_LABEL,
        read: ([growths = NOTHING, uneven = NOTHING]) => joinBuckets(growths, uneven, measure),
      }
    }
    case 'nativeHistogram': {
      const histogram = parseSelector(measure.metric)
      if ('refused' in histogram) return missing('refused', histogram.refused)
      return {
        queries: [nativeBucketsQuery(histogram, measure.slowerThanSeconds, labels, tickMs)],
        within: BOUND_LABEL,
        read: ([growths = NOTHING]) => joinBuckets(growths, NOTHING, measure),
      }
    }
    case 'selector':
    case 'goodSelector': {
      const counters = countersOf(measure)
      if (isMissing(counters)) return counters
      return {
        queries: [
          baselinedGrowthQuery(counters.total, labels, tickMs, settings),
          growthQuery(counters.part, labels, tickMs, settings),
        ],
        within: null,
        read: ([totals = NOTHING, parts = NOTHING]) => joinCounts(totals, parts, counters),
      }
    }
    case 'query': {
      const { total, bad, windowSeconds } = measure
      const factor = tickShare(tickMs, windowSeconds)
      return {
        queries: [windowedQuery(total, windowSeconds), windowedQuery(bad, windowSeconds)],
        within: null,
        read: ([totals = NOTHING, bads = NOTHING]) =>
          joinCounts(scaled(totals, factor), scaled(bads, factor), { partIs: 'bad', absentPart: 0 }),
      }
    }
    case 'value':
      return {
        queries: [windowedQuery(measure.value, measure.windowSeconds)],
        within: null,
        read: ([values = NOTHING]) => valuesOf(values),
      }
    case 'ask':
    case 'askValue':
      return missing('refused', `PromQL goes into \`query\` and \`value\`, not into \`${measure.kind}\``)
  }
}

/** As `questionsOf`, of ticks long past: of a histogram the bad ones alone, since windows have no use for buckets. */
export function pastQuestionsOf(sli: SliSpec, tickMs: number, settings: PrometheusSettings): Questions | Missing {
  const { measure, labels } = sli
  if (measure.kind === 'nativeHistogram') return nativePastOf(measure, labels, tickMs)
  if (measure.kind !== 'histogram') return questionsOf(sli, tickMs, settings)
  const counters = countersOf(measure)
  if (isMissing(counters)) return counters
  return {
    queries: [
      baselinedGrowthQuery(counters.total, labels, tickMs, settings),
      evenGrowthQuery(counters, labels, tickMs, settings),
    ],
    within: null,
    read: ([totals = NOTHING, parts = NOTHING]) => joinCounts(totals, parts, counters),
  }
}

function nativePastOf(measure: HistogramMeasure, labels: SliSpec['labels'], tickMs: number): Questions | Missing {
  const histogram = parseSelector(measure.metric)
  if ('refused' in histogram) return missing('refused', histogram.refused)
  const absentPart = missing('empty', `${measure.metric} has no counts up to ${measure.slowerThanSeconds} s`)
  return {
    queries: [null, measure.slowerThanSeconds].map((bound) => nativeGrowthQuery(histogram, bound, labels, tickMs)),
    within: null,
    read: ([totals = NOTHING, goods = NOTHING]) => joinCounts(totals, goods, { partIs: 'good', absentPart }),
  }
}

/** `growths` and `uneven` by group and boundary. */
function joinBuckets(growths: Sums, uneven: Sums, measure: HistogramMeasure): ReadonlyMap<string, Measure> {
  const groups = new Map<string, Buckets | Missing>()
  for (const [key, grown] of growths) {
    const [group, le] = splitKey(key)
    const buckets = groups.get(group) ?? new Map()
    const ofSeries = uneven.get(key) ?? 1
    if (typeof grown !== 'number') groups.set(group, grown)
    else if (typeof ofSeries !== 'number') groups.set(group, ofSeries)
    else if (!isMissing(buckets)) groups.set(group, addBucket(buckets, le, { grown, ofSeries }))
  }
  return measureAll(groups, measure)
}
