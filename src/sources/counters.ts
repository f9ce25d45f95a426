import { type Counts, type Missing, missing } from '../core/observation.ts'
import type { SliMeasure } from '../core/plan.ts'
import type { Measure } from '../ports/source.ts'
import { boundPattern } from '../shared/promql/bound.ts'
import { parseSelector, type Selector } from '../shared/promql/selector.ts'

/** The two counters of an SLI: all events, and the bad (or else the good) ones among them. */
export interface Counters {
  readonly total: Selector
  readonly part: Selector
  readonly partIs: 'bad' | 'good'
  /** What stands for the part in a group that has a total alone. */
  readonly absentPart: 0 | Missing
}

export type CounterMeasure = Extract<SliMeasure, { kind: 'selector' | 'goodSelector' | 'histogram' }>

/** Finds the counters that a measure rests on, or says why it is refused. */
export function countersOf(measure: CounterMeasure): Counters | Missing {
  const written = textsOf(measure)
  const total = parseSelector(written.total)
  const part = parseSelector(written.part)
  if ('refused' in total) return missing('refused', total.refused)
  if ('refused' in part) return missing('refused', part.refused)
  switch (measure.kind) {
    case 'selector':
      // An error series appears with the first error, so its absence is good news.
      return { total, part, partIs: 'bad', absentPart: 0 }
    case 'goodSelector':
      // All may have failed; as well the selector may be wrong, or a release may count under another name.
      return { total, part, partIs: 'good', absentPart: missing('empty', `there is no series of ${measure.good}`) }
    case 'histogram': {
      const bound = measure.slowerThanSeconds
      const le = { label: 'le', op: '=~', value: boundPattern(bound) } as const
      return {
        total: { ...total, metric: `${total.metric}_count` },
        part: { metric: `${total.metric}_bucket`, matchers: [...total.matchers, le] },
        partIs: 'good',
        absentPart: missing('empty', `${total.metric} has no bucket with the bound ${bound} s`),
      }
    }
  }
}

function textsOf(measure: CounterMeasure): { readonly total: string; readonly part: string } {
  switch (measure.kind) {
    case 'selector':
      return { total: measure.total, part: measure.bad }
    case 'goodSelector':
      return { total: measure.total, part: measure.good }
    case 'histogram':
      return { total: measure.metric, part: measure.metric }
  }
}

/** Growth by group, of one counter. */
export type Sums = ReadonlyMap<string, number | Missing>

/** Joins the growth of the two counters. A group without a total is absent, whatever its part says. */
export function joinCounts(totals: Sums, parts: Sums, how: PartRule): ReadonlyMap<string, Measure> {
  const groups = new Map<string, Measure>()
  for (const [key, total] of totals) groups.set(key, joinGroup(total, parts.get(key) ?? how.absentPart, how.partIs))
  return groups
}

export type PartRule = Pick<Counters, 'partIs' | 'absentPart'>

function joinGroup(total: number | Missing, part: number | Missing, partIs: Counters['partIs']): Measure {
  if (typeof total !== 'number') return total
  if (typeof part !== 'number') return part
  if (!isCount(total)) return missing('not-a-number', `a count is ${total}`)
  if (!isCount(part)) return missing('not-a-number', `a count is ${part}`)
  const counts = countsOf(total, part, partIs)
  return { kind: 'counts', total: counts.total, bad: counts.bad, latencies: null }
}

function isCount(value: number): boolean {
  return value >= 0 && value < Number.POSITIVE_INFINITY
}

function countsOf(total: number, part: number, partIs: Counters['partIs']): Counts {
  // More good events than events: the page was made between the two additions, and the next tick evens it out.
  if (partIs === 'good') return { total, bad: Math.max(0, total - part) }
  // A request that failed has certainly happened. Where errors are counted before requests, or the two counters start
  // anew apart, the total gives way: cutting `bad` would lose errors, and hide a selector of errors that is too wide.
  return { total: Math.max(total, part), bad: part }
}
