import { groupKey } from '../../ports/source.ts'
import type { PeriodQuery } from '../periods/ask.ts'
import type { CloudwatchSettings } from './settings.ts'

/** Between the two names: dimensions hold ASCII alone, so it is in neither of them. */
const SEPARATOR = '¦'

/** A label by which CloudWatch tells the dimensions of each series of a SEARCH ("dynamic labels" in its user guide). */
export function labelFor({ cluster, workload }: PeriodQuery['labels']): string {
  return [cluster, workload].map((name) => (name === '' ? '' : `\${PROP('Dim.${name}')}`)).join(SEPARATOR)
}

/** Whose a series with this label is; null: it lacks one of the dimensions. */
export function groupOf(
  label: string,
  { workload: wanted }: PeriodQuery['labels'],
  names: CloudwatchSettings['names'],
): string | null {
  const [owner = '', name = '', ...more] = label.split(SEPARATOR)
  // Of a dimension that is not there CloudWatch says nothing, or repeats what it was asked.
  const isTold = (text: string) => text !== '' && !text.includes('${PROP(')
  if (more.length > 0 || !isTold(owner) || (wanted !== '' && !isTold(name))) return null
  const namedBy = (text: string) => (Object.hasOwn(names, text) ? names[text] : undefined)
  return groupKey(namedBy(owner)?.cluster ?? owner, wanted === '' ? '' : (namedBy(name)?.workload ?? name))
}
