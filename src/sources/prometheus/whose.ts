import type { SliMeasure } from '../../core/plan.ts'
import type { AskedSli } from '../../ports/source.ts'
import { anyOf, type Matcher, parseSelector, selectorText } from '../../shared/promql/selector.ts'

/**
 * The SLI with the series of other clusters left out of its selectors: a Prometheus that sees many would answer with all of
 * them each time. Own queries (`query`, `value`) say themselves what they count.
 */
export function ofItsClusters(sli: AskedSli): AskedSli {
  const { clusters, labels, measure } = sli
  if (clusters === undefined || clusters.length === 0) return sli
  return { ...sli, measure: narrowed(measure, { label: labels.cluster, op: '=~', value: anyOf(clusters) }) }
}

function narrowed(measure: SliMeasure, matcher: Matcher): SliMeasure {
  const of = (text: string) => {
    const selector = parseSelector(text)
    // Whoever asks says why it is refused.
    return 'refused' in selector ? text : selectorText({ ...selector, matchers: [...selector.matchers, matcher] })
  }
  switch (measure.kind) {
    case 'selector':
      return { ...measure, total: of(measure.total), bad: of(measure.bad) }
    case 'goodSelector':
      return { ...measure, total: of(measure.total), good: of(measure.good) }
    case 'histogram':
    case 'nativeHistogram':
      return { ...measure, metric: of(measure.metric) }
    case 'query':
    case 'value':
    case 'ask':
    case 'askValue':
      return measure
  }
}
