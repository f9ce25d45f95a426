import { checkSilence } from './check-alertmanager.ts'
import { checkApi } from './check-api.ts'
import { checkFleet } from './check-fleet.ts'
import { checkOwners } from './check-owners.ts'
import { checkReplication } from './check-preflight.ts'
import { checkSteps } from './check-steps.ts'
import { checkWorkloads } from './check-workloads.ts'
import type { Finding } from './finding.ts'
import type { Kinds, SourceKindConfig } from './kinds.ts'
import { checkKubernetes } from './kubernetes.ts'
import type { ResolvedPolicies } from './policies.ts'
import { checkProviders } from './providers.ts'
import type { ParsedConfig } from './schema.ts'
import { suggestion } from './suggest.ts'

/** The rules across keys, for a config that fits the schema. */
export function checkConfig(config: ParsedConfig, policies: ResolvedPolicies, kinds: Kinds): Finding[] {
  return [
    ...checkClusters(config),
    ...checkTimes(config),
    ...checkSlis(config, kinds.sources),
    ...checkOwners(config),
    ...policies.findings,
    ...checkDefaultPolicy(config, policies),
    ...checkSilence(config),
    ...checkApi(config),
    ...checkProviders(config, kinds.traffic),
    ...checkKubernetes(config),
    ...checkSteps(config, policies),
    ...checkWorkloads(config, policies, kinds.traffic, kinds.sources),
    ...checkReplication(config, kinds.sources),
    ...checkFleet(config, kinds),
  ]
}

function checkClusters({ clusters }: ParsedConfig): Finding[] {
  if (clusters.old !== clusters.new) return []
  return [
    {
      code: 'CONFIG_WRONG_VALUE',
      cause: `both clusters are called "${clusters.new}"`,
      hint: 'write the two values of the cluster label',
      path: ['clusters', 'new'],
    },
  ]
}

function checkTimes({ sweep, observeTimeout }: ParsedConfig): Finding[] {
  if (observeTimeout === undefined || observeTimeout < sweep) return []
  return [
    {
      code: 'CONFIG_WRONG_VALUE',
      cause: 'not below the sweep',
      hint: 'what is late must be missing before the next sweep: lower it, or raise `sweep`',
      path: ['observeTimeout'],
    },
  ]
}

function checkSlis({ slis, sources }: ParsedConfig, kinds: readonly SourceKindConfig[]): Finding[] {
  const configured = Object.keys(sources)
  return Object.entries(slis).flatMap(([name, { source, labels, measure }]): Finding[] => {
    const path = ['slis', name]
    if (configured.length === 0)
      return [
        {
          code: 'CONFIG_NOT_FOUND',
          cause: `no source is configured that could measure "${name}"`,
          hint: `add one under \`sources\`: ${kinds.map(({ kind }) => kind).join(' or ')}`,
          path,
          on: 'key',
        },
      ]
    if (source === undefined && configured.length > 1)
      return [
        {
          code: 'CONFIG_MISSING_KEY',
          cause: `"${name}" does not say which source measures it`,
          hint: `add \`source:\` with one of: ${configured.join(', ')}`,
          path,
          on: 'key',
        },
      ]
    const chosen = source ?? configured[0] ?? ''
    if (!configured.includes(chosen))
      return [
        {
          code: 'CONFIG_NOT_FOUND',
          cause: `no source "${chosen}" is configured`,
          hint: suggestion(chosen, configured),
          path: [...path, 'source'],
        },
      ]
    const kind = kinds.find((candidate) => candidate.kind === chosen)
    if (kind && !kind.measures.includes(measure.kind))
      return [
        {
          code: 'CONFIG_WRONG_VALUE',
          cause: `the source "${chosen}" measures no SLI of this form (${measure.kind})`,
          hint: `use one of its forms (${kind.measures.join(', ')}), or another source`,
          path,
          on: 'key',
        },
      ]
    return kind ? checkAsked(path, { labels, measure }, kind) : []
  })
}

/** What a source can say of its own queries without a look at its server. */
function checkAsked(
  path: Finding['path'],
  { labels, measure }: Pick<ParsedConfig['slis'][string], 'labels' | 'measure'>,
  kind: SourceKindConfig,
): Finding[] {
  if (measure.kind !== 'ask' && measure.kind !== 'askValue') return []
  const form = measure.kind
  const queries =
    form === 'ask'
      ? [
          { path: [...path, form, 'total'], query: measure.total },
          { path: [...path, form, 'bad'], query: measure.bad },
        ]
      : [{ path: [...path, form], query: measure.value }]
  return queries.flatMap(({ path, query }): Finding[] => {
    const fault = kind.queryFault?.(query, { form, labels })
    if (!fault) return []
    return [{ code: 'CONFIG_QUERY', cause: fault.cause, hint: fault.hint, path, within: fault.offset }]
  })
}

function checkDefaultPolicy({ policy, policies: own }: ParsedConfig, policies: ResolvedPolicies): Finding[] {
  if (policies.byName.has(policy) || Object.hasOwn(own, policy)) return []
  return [unknownPolicy(policy, policies, ['policy'])]
}

/** Says that a policy is not there. */
function unknownPolicy(name: string, { byName }: ResolvedPolicies, path: Finding['path']): Finding {
  return {
    code: 'CONFIG_NOT_FOUND',
    cause: `no policy is called "${name}"`,
    hint: suggestion(name, [...byName.keys()]),
    path,
  }
}
