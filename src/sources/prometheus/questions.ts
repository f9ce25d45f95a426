import { isMissing, type Missing, missing } from '../../core/observation.ts'
import type { SliMeasure, SliSpec } from '../../core/plan.ts'
import type { Measure } from '../../ports/source.ts'
import { parseSelector } from '../../shared/promql/selector.ts'
import { scaled, tickShare, valuesOf } from '../asked.ts'
import { addBucket, BOUND_LABEL, type Buckets, bucketsOf, type HistogramMeasure, measureBuckets } from '../buckets.ts'
import { countersOf, joinCounts, type Sums } from '../counters.ts'
import { nativeBucketsQuery, nativeGrowthQuery } from './native.ts'
import type { Parts } from './parts.ts'
import {
  baselinedGrowthQuery,
  bucketGrowthQuery,
  evenGrowthQuery,
  growthQuery,
  unevenBucketsQuery,
  windowedQuery,
} from './promql.ts'
import type { PrometheusSettings } from './settings.ts'

/** What to ask about one SLI, and how to read the answers, which come in the order of the queries. */
export type Questions = GroupQuestions | PartQuestions

/** Each group has one value an answer. */
export interface GroupQuestions {
  readonly kind: 'groups'
  readonly queries: readonly string[]
  read(answers: readonly Sums[]): ReadonlyMap<string, Measure>
}

/** Each group has a value for each value of one more label. */
export interface PartQuestions {
  readonly kind: 'parts'
  readonly queries: readonly string[]
  readonly within: string
  read(answers: readonly Parts[]): ReadonlyMap<string, Measure>
}

const NO_PARTS: Parts = { groups: [], of: () => undefined }
const NOTHING: Sums = new Map()

/** The questions of a tick of `tickMs`; missing: this SLI cannot be asked for. */
export function questionsOf(sli: SliSpec, tickMs: number, settings: PrometheusSettings): Questions | Missing {
  const { measure, labels } = sli
  if (measure.kind === 'histogram') {
    const buckets = bucketsOf(measure)
    if (isMissing(buckets)) return buckets
    return {
      kind: 'parts',
      queries: [bucketGrowthQuery(buckets, labels, tickMs, settings), unevenBucketsQuery(buckets, labels)],
      within: BOUND_LABEL,
      read: ([growths = NO_PARTS, uneven = NO_PARTS]) => joinBuckets(growths, uneven, measure),
    }
  }
  if (measure.kind === 'nativeHistogram') {
    const histogram = parseSelector(measure.metric)
    if ('refused' in histogram) return missing('refused', histogram.refused)
    return {
      kind: 'parts',
      queries: [nativeBucketsQuery(histogram, measure.slowerThanSeconds, labels, tickMs)],
      within: BOUND_LABEL,
      read: ([growths = NO_PARTS]) => joinBuckets(growths, NO_PARTS, measure),
    }
  }
  return groupQuestionsOf({ ...sli, measure }, tickMs, settings)
}

type WithoutBuckets = SliSpec & { readonly measure: Exclude<SliMeasure, HistogramMeasure> }

function groupQuestionsOf(
  { measure, labels }: WithoutBuckets,
  tickMs: number,
  settings: PrometheusSettings,
): GroupQuestions | Missing {
  switch (measure.kind) {
    case 'selector':
    case 'goodSelector': {
      const counters = countersOf(measure)
      if (isMissing(counters)) return counters
      return {
        kind: 'groups',
        queries: [
          baselinedGrowthQuery(counters.total, labels, tickMs, settings),
          growthQuery(counters.part, labels, tickMs, settings),
        ],
        read: ([totals = NOTHING, parts = NOTHING]) => joinCounts(totals, parts, counters),
      }
    }
    case 'query': {
      const { total, bad, windowSeconds } = measure
      const factor = tickShare(tickMs, windowSeconds)
      return {
        kind: 'groups',
        queries: [windowedQuery(total, windowSeconds), windowedQuery(bad, windowSeconds)],
        read: ([totals = NOTHING, bads = NOTHING]) =>
          joinCounts(scaled(totals, factor), scaled(bads, factor), { partIs: 'bad', absentPart: 0 }),
      }
    }
    case 'value':
      return {
        kind: 'groups',
        queries: [windowedQuery(measure.value, measure.windowSeconds)],
        read: ([values = NOTHING]) => valuesOf(values),
      }
    case 'ask':
    case 'askValue':
      return missing('refused', `PromQL goes into \`query\` and \`value\`, not into \`${measure.kind}\``)
  }
}

/** As `questionsOf`, of ticks long past: of a histogram the bad ones alone, since windows have no use for buckets. */
export function pastQuestionsOf(sli: SliSpec, tickMs: number, settings: PrometheusSettings): GroupQuestions | Missing {
  const { measure, labels } = sli
  if (measure.kind === 'nativeHistogram') return nativePastOf(measure, labels, tickMs)
  if (measure.kind !== 'histogram') return groupQuestionsOf({ ...sli, measure }, tickMs, settings)
  const counters = countersOf(measure)
  if (isMissing(counters)) return counters
  return {
    kind: 'groups',
    queries: [
      baselinedGrowthQuery(counters.total, labels, tickMs, settings),
      evenGrowthQuery(counters, labels, tickMs, settings),
    ],
    read: ([totals = NOTHING, parts = NOTHING]) => joinCounts(totals, parts, counters),
  }
}

function nativePastOf(measure: HistogramMeasure, labels: SliSpec['labels'], tickMs: number): GroupQuestions | Missing {
  const histogram = parseSelector(measure.metric)
  if ('refused' in histogram) return missing('refused', histogram.refused)
  const absentPart = missing('empty', `${measure.metric} has no counts up to ${measure.slowerThanSeconds} s`)
  return {
    kind: 'groups',
    queries: [null, measure.slowerThanSeconds].map((bound) => nativeGrowthQuery(histogram, bound, labels, tickMs)),
    read: ([totals = NOTHING, goods = NOTHING]) => joinCounts(totals, goods, { partIs: 'good', absentPart }),
  }
}

/** `growths` and `uneven` by group and boundary. */
function joinBuckets(growths: Parts, uneven: Parts, measure: HistogramMeasure): ReadonlyMap<string, Measure> {
  const measures = new Map<string, Measure>()
  let likely: readonly number[] = []
  // One group after the other: the buckets of all of them at once would be most of the memory.
  for (const group of growths.groups) {
    const buckets = bucketsOfGroup(growths.of(group) ?? NOTHING, uneven.of(group))
    const counts = isMissing(buckets) ? buckets : measureBuckets(buckets, measure, likely)
    if (counts === null) continue
    measures.set(group, counts)
    if (counts.kind === 'counts') likely = counts.latencies?.boundsSeconds ?? likely
  }
  return measures
}

function bucketsOfGroup(growths: Sums, uneven: Sums | undefined): Buckets | Missing {
  const buckets: Buckets = new Map()
  for (const [le, grown] of growths) {
    const ofSeries = uneven?.get(le) ?? 1
    if (typeof grown !== 'number') return grown
    if (typeof ofSeries !== 'number') return ofSeries
    addBucket(buckets, le, { grown, ofSeries })
  }
  return buckets
}
