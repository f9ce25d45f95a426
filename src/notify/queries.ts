import type { Verdict } from '../core/gates/verdict.ts'
import type { Plan, SliSpec } from '../core/plan.ts'
import { parseSelector, type Selector, selectorText } from '../shared/promql/selector.ts'

const WINDOW = '5m'
const MAX_QUERIES = 4

/** PromQL of the SLIs that verdicts speak of, by cluster, as one would look at them; none for what is not known. */
export function queriesFor(plan: Plan | null, verdicts: readonly Verdict[]): readonly string[] {
  if (plan === null) return []
  const names = verdicts.flatMap(({ gate, outcome }) =>
    outcome === 'pass' ? [] : [gate.slice(gate.lastIndexOf('/') + 1)],
  )
  const specs = plan.slis.filter(({ name }) => names.includes(name))
  return [...new Set(specs.flatMap((spec) => queryOf(spec, plan.workload) ?? []))].slice(0, MAX_QUERIES)
}

function queryOf({ measure, labels, source, origin }: SliSpec, workload: string): string | null {
  // What Headgate scrapes itself need not be in any Prometheus.
  if (source !== 'prometheus') return null
  // A recorded ratio is best looked at as it is.
  if (origin !== undefined && origin.tool !== 'openslo') return origin.of
  const of = (text: string) => narrowed(text, labels.workload, workload)
  const ratio = (part: string | null, all: string | null, by: string) =>
    part === null || all === null
      ? null
      : `sum by (${by}) (rate(${part}[${WINDOW}])) / sum by (${by}) (rate(${all}[${WINDOW}]))`
  switch (measure.kind) {
    case 'selector':
      return ratio(of(measure.bad), of(measure.total), labels.cluster)
    case 'goodSelector':
      return without(ratio(of(measure.good), of(measure.total), labels.cluster))
    case 'histogram': {
      const histogram = parseSelector(measure.metric)
      if ('refused' in histogram) return null
      const { metric, matchers } = histogram
      const le = { label: 'le', op: '=', value: String(measure.slowerThanSeconds) } as const
      const fast = selectorText({ metric: `${metric}_bucket`, matchers: [...matchers, le] })
      const all = selectorText({ metric: `${metric}_count`, matchers })
      return without(ratio(of(fast), of(all), labels.cluster))
    }
    case 'nativeHistogram': {
      const metric = of(measure.metric)
      return metric === null
        ? null
        : `1 - histogram_fraction(0, ${measure.slowerThanSeconds}, sum by (${labels.cluster}) (rate(${metric}[${WINDOW}])))`
    }
    case 'query':
      return `(${measure.bad}) / (${measure.total})`.replaceAll('$window', WINDOW)
    case 'value':
      return measure.value.replaceAll('$window', WINDOW)
    case 'ask':
    case 'askValue':
      return null
  }
}

function without(good: string | null): string | null {
  return good === null ? null : `1 - ${good}`
}

/** The selector with the workload's label; null: it is none. */
function narrowed(text: string, label: string, workload: string): string | null {
  const selector = parseSelector(text)
  if ('refused' in selector) return null
  if (label === '') return selectorText(selector)
  const matchers: Selector['matchers'] = [...selector.matchers, { label, op: '=', value: workload }]
  return selectorText({ ...selector, matchers })
}
