import { type Missing, missing } from '../core/observation.ts'
import type { SliSpec } from '../core/plan.ts'
import type { Measure, Tick } from '../ports/source.ts'
import { joinCounts, type Sums } from './counters.ts'

/** Stands for the length of time in a query; replaced before it is sent. */
export const WINDOW = '$window'

/** What to ask about an SLI with queries of its own, and how to read the answers. */
export interface Asked {
  /** As they are written in the config; what stands in them for the time is still there. */
  readonly queries: readonly string[]
  /** The time that each of them is about: it ends with the tick. */
  readonly span: Tick
  /** `answers` are in the order of the queries. */
  read(answers: readonly Sums[]): ReadonlyMap<string, Measure>
}

const NOTHING: Sums = new Map()

/** The questions of a tick to a source with a language of its own; missing: the SLI has another form. */
export function askedOf({ measure, source }: SliSpec, tick: Tick): Asked | Missing {
  switch (measure.kind) {
    case 'ask': {
      const tickMs = tick.atMs - tick.sinceMs
      const { total, bad, windowSeconds } = measure
      const share = windowSeconds === null ? 1 : tickShare(tickMs, windowSeconds)
      return {
        queries: [total, bad],
        span: windowSeconds === null ? tick : spanOf(windowSeconds, tick),
        // Nothing bad is no row at all, in every one of these languages.
        read: ([totals = NOTHING, bads = NOTHING]) =>
          joinCounts(scaled(totals, share), scaled(bads, share), { partIs: 'bad', absentPart: 0 }),
      }
    }
    case 'askValue':
      return {
        queries: [measure.value],
        span: spanOf(measure.windowSeconds, tick),
        read: ([values = NOTHING]) => valuesOf(values),
      }
    default:
      return missing('refused', `the source ${source} has no PromQL for an SLI of the form ${measure.kind}`)
  }
}

function spanOf(windowSeconds: number, { atMs }: Tick): Tick {
  return { sinceMs: atMs - windowSeconds * 1000, atMs }
}

/**
 * A window longer than the tick overlaps the windows of the ticks around it. Each tick takes its share of the window's
 * count, so that over time every event counts once, spread over a window's length. A shorter window is taken as it is:
 * what it did not see is not made up.
 */
export function tickShare(tickMs: number, windowSeconds: number): number {
  return Math.min(1, tickMs / (windowSeconds * 1000))
}

export function scaled(sums: Sums, factor: number): Sums {
  return new Map([...sums].map(([key, sum]) => [key, typeof sum === 'number' ? sum * factor : sum]))
}

/** Each as a value; what is no number is missing. */
export function valuesOf(values: Sums): ReadonlyMap<string, Measure> {
  return new Map([...values].map(([key, value]) => [key, measureOf(value)]))
}

function measureOf(value: number | Missing): Measure {
  if (typeof value !== 'number') return value
  return Number.isFinite(value) ? { kind: 'value', value } : missing('not-a-number', `the value is ${value}`)
}
