import type { QueryContext, QueryFault } from '../../ports/source.ts'

/** What can be said of a metric query of Datadog without asking it. */
export function datadogFault(query: string, { form, labels }: QueryContext): QueryFault | null {
  const rollup = query.indexOf('.rollup(')
  if (rollup >= 0)
    return {
      offset: rollup,
      cause: '`.rollup` makes periods of its own',
      hint: 'leave it out: the source’s `period` is asked for',
    }
  const by = /\bby\s*\{([^}]*)\}/.exec(query)
  const tags = (by?.[1] ?? '').split(',').map((tag) => tag.trim())
  const lacking = [labels.cluster, labels.workload].filter((tag) => tag !== '' && !tags.includes(tag))
  if (lacking.length > 0)
    return {
      offset: by?.index ?? 0,
      cause: `the query does not tell ${lacking.map((tag) => `\`${tag}\``).join(' and ')} apart`,
      hint: `group it: by {${[labels.cluster, labels.workload].filter((tag) => tag !== '').join(',')}}`,
    }
  if (form === 'ask' && !query.includes('.as_count()'))
    return { offset: 0, cause: 'without `.as_count()` this is a rate, no count', hint: 'append .as_count()' }
  return null
}
