import type { Finding, Path } from './finding.ts'
import type { SourceKindConfig } from './kinds.ts'
import { probeName, type Workload } from './resolve.ts'
import type { ParsedConfig } from './schema.ts'

/** The rules for synthetics: names, sides, and a source that runs tests. */
export function checkSynthetics(
  workload: Workload,
  path: Path,
  { config, kinds }: { readonly config: ParsedConfig; readonly kinds: readonly SourceKindConfig[] },
): Finding[] {
  const probes = workload.probes.map(probeName)
  const names = workload.synthetics.map(({ name }) => name)
  return workload.synthetics.flatMap((one, index): Finding[] => {
    const at = [...path, 'synthetics', index]
    const found: Finding[] = []
    if (one.old === undefined && one.new === undefined)
      found.push({
        code: 'CONFIG_MISSING_KEY',
        cause: 'there is no test of any cluster',
        hint: 'add `new: { test: ID }`, and `old` if there is one of OLD',
        path: at,
      })
    const able = kinds.filter(({ synthetics }) => synthetics !== undefined).map(({ kind }) => kind)
    if (!able.includes(one.source))
      found.push({
        code: 'CONFIG_WRONG_VALUE',
        cause: `the source "${one.source}" runs no synthetic tests`,
        hint: `write one of: ${able.join(', ')}`,
        path: [...at, 'source'],
      })
    else if (config.sources[one.source] === undefined)
      found.push({
        code: 'CONFIG_NOT_FOUND',
        cause: `the source "${one.source}" is not configured`,
        hint: `add \`sources.${one.source}\`, where the keys are`,
        path: at,
      })
    const probe = probes.indexOf(one.name)
    const first = names.indexOf(one.name)
    if (probe >= 0 || first !== index)
      found.push({
        code: 'CONFIG_DUPLICATE',
        cause: `the name "${one.name}" is taken`,
        hint: 'give each probe and synthetic of a workload a name of its own',
        path: [...at, 'name'],
        other: { path: [...path, ...(probe >= 0 ? ['probes', probe] : ['synthetics', first]), 'name'] },
      })
    return found
  })
}
