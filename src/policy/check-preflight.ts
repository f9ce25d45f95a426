import type { Finding } from './finding.ts'
import type { SourceKindConfig } from './kinds.ts'
import type { ParsedConfig } from './schema.ts'

/** The lag of replicas is PromQL: somebody must be there to answer it. */
export function checkReplication(
  { workloads, sources }: ParsedConfig,
  kinds: readonly SourceKindConfig[],
): readonly Finding[] {
  const able = kinds.filter(({ measures }) => measures.includes('value')).map(({ kind }) => kind)
  if (able.some((kind) => Object.hasOwn(sources, kind))) return []
  return workloads.flatMap(({ replication }, index): Finding[] =>
    replication === undefined
      ? []
      : [
          {
            code: 'CONFIG_NOT_FOUND',
            cause: 'no source is configured that answers PromQL',
            hint: `add one under \`sources\`: ${able.join(' or ')}`,
            path: ['workloads', index, 'replication'],
            on: 'key',
          },
        ],
  )
}
