import { isMissing, type Missing, missing } from '../../core/observation.ts'
import type { SliSpec } from '../../core/plan.ts'
import type { Measure } from '../../ports/source.ts'
import { countersOf, joinCounts, type Sums } from '../counters.ts'
import { baselinedGrowthQuery, growthQuery, windowedQuery } from './promql.ts'
import type { PrometheusSettings } from './settings.ts'

/** What to ask about one SLI, and how to read the answers. */
export interface Questions {
  readonly queries: readonly string[]
  /** `answers` are in the order of the queries. */
  read(answers: readonly Sums[]): ReadonlyMap<string, Measure>
}

const NOTHING: Sums = new Map()

/** The questions of a tick of `tickMs`; missing: this SLI cannot be asked for. */
export function questionsOf(sli: SliSpec, tickMs: number, settings: PrometheusSettings): Questions | Missing {
  const { measure, labels } = sli
  switch (measure.kind) {
    case 'selector':
    case 'histogram': {
      const counters = countersOf(measure)
      if (isMissing(counters)) return counters
      return {
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
        queries: [windowedQuery(total, windowSeconds), windowedQuery(bad, windowSeconds)],
        read: ([totals = NOTHING, bads = NOTHING]) =>
          joinCounts(scaled(totals, factor), scaled(bads, factor), { partIs: 'bad', absentPart: 0 }),
      }
    }
    case 'value':
      return {
        queries: [windowedQuery(measure.value, measure.windowSeconds)],
        read: ([values = NOTHING]) => new Map([...values].map(([key, value]) => [key, measureOf(value)])),
      }
  }
}

/**
 * A window longer than the tick overlaps the windows of the ticks around it. Each tick takes its share of the window's
 * count, so that over time every event counts once, spread over a window's length. A shorter window is taken as it is:
 * what it did not see is not made up.
 */
function tickShare(tickMs: number, windowSeconds: number): number {
  return Math.min(1, tickMs / (windowSeconds * 1000))
}

function scaled(sums: Sums, factor: number): Sums {
  return new Map([...sums].map(([key, sum]) => [key, typeof sum === 'number' ? sum * factor : sum]))
}

function measureOf(value: number | Missing): Measure {
  if (typeof value !== 'number') return value
  return Number.isFinite(value) ? { kind: 'value', value } : missing('not-a-number', `the value is ${value}`)
}
