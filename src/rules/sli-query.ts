import type { SliSpec } from '../core/plan.ts'
import { boundPattern } from '../shared/promql/bound.ts'
import { type Matcher, parseSelector, type Selector, selectorText } from '../shared/promql/selector.ts'

/** PromQL for events a second over a window, by cluster and workload. */
export interface Counted {
  readonly total: string
  readonly bad: string
}

/**
 * What an SLI counts. As Headgate itself reads it: a series of bad events that is absent while that of all is there means
 * that none were bad. null: it counts nothing.
 * @param members keep the series of others out; own queries say themselves what they count
 * @param window as PromQL writes it
 */
export function countedOf(sli: SliSpec, members: readonly Matcher[], window: string, seconds: number): Counted | null {
  const { measure } = sli
  const by = `sum by (${sli.labels.cluster}, ${sli.labels.workload})`
  const rate = (selector: Selector) => `${by} (rate(${selectorText(selector)}[${window}]))`
  switch (measure.kind) {
    case 'selector': {
      const total = rate(narrowed(measure.total, members))
      return { total, bad: orNone(rate(narrowed(measure.bad, members)), total) }
    }
    case 'goodSelector': {
      const total = rate(narrowed(measure.total, members))
      return { total, bad: `clamp_min(${total} - ${rate(narrowed(measure.good, members))}, 0)` }
    }
    case 'histogram': {
      const histogram = narrowed(measure.metric, members)
      const le = { label: 'le', op: '=~', value: boundPattern(measure.slowerThanSeconds) } as const
      const total = rate({ ...histogram, metric: `${histogram.metric}_count` })
      const good = rate({ metric: `${histogram.metric}_bucket`, matchers: [...histogram.matchers, le] })
      return { total, bad: `clamp_min(${total} - ${good}, 0)` }
    }
    case 'nativeHistogram': {
      const rates = rate(narrowed(measure.metric, members))
      const total = `histogram_count(${rates})`
      // A fraction of nothing is no number.
      const bad = `${total} * (1 - histogram_fraction(-Inf, ${measure.slowerThanSeconds}, ${rates})) >= 0`
      return { total, bad: orNone(bad, total) }
    }
    case 'query': {
      const own = (promql: string) => `${by} (${promql.replaceAll('$window', window)}) / ${seconds}`
      const total = own(measure.total)
      return { total, bad: orNone(own(measure.bad), total) }
    }
    case 'value':
    case 'ask':
    case 'askValue':
      return null
  }
}

function narrowed(text: string, members: readonly Matcher[]): Selector {
  const selector = parseSelector(text)
  if ('refused' in selector) throw new Error(`${selector.refused}: the checks let a config pass that they should not`)
  return { ...selector, matchers: [...selector.matchers, ...members] }
}

function orNone(bad: string, total: string): string {
  return `(${bad} or 0 * (${total}))`
}
