import { isMissing, type Missing } from '../../core/observation.ts'
import { compileMatchers, type Labels, type LabelTest } from '../../shared/promql/matching.ts'
import { type Selector, selectorText } from '../../shared/promql/selector.ts'
import type { Sample } from './exposition.ts'
import { type Reading, seriesKey } from './growth.ts'

/** A selector, ready to be held against pages. */
export interface Query {
  /** Equal for equal selectors. */
  readonly key: string
  readonly metric: string
  readonly isSelected: LabelTest
  /** Equal for series that begin anew together. */
  readonly familyOf: (labels: Labels) => string
}

/** Compiles a selector; missing: its patterns cannot be matched here. */
export function compileQuery(selector: Selector, familyOf: Query['familyOf'] = seriesKey): Query | Missing {
  const isSelected = compileMatchers(selector)
  if (isMissing(isSelected)) return isSelected
  return { key: selectorText(selector), metric: selector.metric, isSelected, familyOf }
}

/** The series of a page that a query selects, with the target's labels put on; later lines of a series win. */
export function select(query: Query, samples: readonly Sample[], targetLabels: Labels): ReadonlyMap<string, Reading> {
  const readings = new Map<string, Reading>()
  for (const { name, labels: own, value } of samples) {
    if (name !== query.metric) continue
    const labels = { ...own, ...targetLabels }
    if (query.isSelected(labels)) readings.set(seriesKey(labels), { labels, value })
  }
  return readings
}
