import { isMissing } from '../../core/observation.ts'
import { compileMatchers } from '../promql/matching.ts'
import type { Matcher } from '../promql/selector.ts'

/**
 * Whether one alert could fit both sets of matchers. They are apart where one label cannot have a value that fits all that
 * is asked of it; what cannot be known, such as whether two patterns have a text in common, counts as an overlap.
 */
export function mayOverlap(one: readonly Matcher[], other: readonly Matcher[]): boolean {
  const byLabel = Map.groupBy([...one, ...other], ({ label }) => label)
  return [...byLabel].every(([label, matchers]) => {
    const candidates = matchers.flatMap((matcher) => literalsOf(matcher) ?? [])
    if (!matchers.some((matcher) => literalsOf(matcher) !== null)) return true
    const fits = compileMatchers({ matchers })
    return isMissing(fits) || candidates.some((value) => fits({ [label]: value }))
  })
}

/** The only values that fit; null: there are too many. */
function literalsOf({ op, value }: Matcher): readonly string[] | null {
  if (op === '=') return [value]
  return op === '=~' && /^[\w\-|]*$/.test(value) ? value.split('|') : null
}
