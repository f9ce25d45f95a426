import type { QueryContext, QueryFault } from '../../ports/source.ts'

/** What can be said of an expression of CloudWatch without asking it. */
export function cloudwatchFault(query: string, { labels }: QueryContext): QueryFault | null {
  const odd = [labels.cluster, labels.workload].find((name) => !/^[\x20-\x7e]*$/.test(name) || /['"\\]/.test(name))
  if (odd !== undefined)
    return { offset: 0, cause: `\`${odd}\` is no dimension`, hint: 'write the names of dimensions under `labels`' }
  if (!/\bSEARCH\s*\(/.test(query))
    return {
      offset: 0,
      cause: 'only a SEARCH tells clusters and workloads apart',
      hint: `write SEARCH('{NAMESPACE,${labels.cluster},${labels.workload}} MetricName="…"', 'Sum', $period)`,
    }
  const sum = /\b(?:SUM|AVG|MIN|MAX)\s*\(\s*SEARCH/.exec(query)
  if (sum)
    return {
      offset: sum.index,
      cause: 'this makes one series of all workloads',
      hint: 'leave the SEARCH as it is: Headgate adds up what belongs to one workload',
    }
  return null
}
