import { formatNumber } from '../core/format.ts'
import { includesWeight } from '../core/weights.ts'
import { knownApprovers } from './check-api.ts'
import type { Finding } from './finding.ts'
import type { ResolvedPolicies, ResolvedPolicy } from './policies.ts'
import { addressOf } from './resolve.ts'
import type { ParsedConfig } from './schema.ts'
import type { PolicySettings } from './schema-policy.ts'
import { suggestion } from './suggest.ts'

/** What steps and hooks count on is there: people who may approve, weights, API servers, probes. */
export function checkSteps(config: ParsedConfig, policies: ResolvedPolicies): Finding[] {
  return [
    ...Object.entries(config.policies).flatMap(([name, own]) => [
      ...approvalFindings(name, own, config),
      ...jobFindings(name, own, config),
      ...weightFindings(name, own, policies.byName.get(name)),
    ]),
    ...warmFindings(config, policies),
  ]
}

/** Somebody can have each role that may approve. */
function approvalFindings(name: string, { steps = [] }: PolicySettings, config: ParsedConfig): Finding[] {
  const known = knownApprovers(config)
  return steps.flatMap(({ approval }, index) => {
    if (typeof approval === 'boolean') return []
    return approval.roles.flatMap((role, at): Finding[] => {
      if (known.includes(role)) return []
      return [
        {
          code: 'CONFIG_NOT_FOUND',
          cause: `no token or group approves as "${role}": nobody could`,
          hint:
            known.length > 0
              ? suggestion(role, known)
              : `add \`approves: [${role}]\` to a token of the role approver or operator under \`api.tokens\``,
          path: ['policies', name, 'steps', index, 'approval', 'roles', at],
        },
      ]
    })
  })
}

/** A Job needs an API server. */
function jobFindings(name: string, { hooks = [] }: PolicySettings, { kubernetes }: ParsedConfig): Finding[] {
  if (kubernetes !== undefined) return []
  return hooks.flatMap(({ job }, index): Finding[] => {
    if (job === undefined) return []
    return [
      {
        code: 'CONFIG_MISSING_KEY',
        cause: "a Job needs access to the cluster's API server",
        hint: 'add `kubernetes:`, or use `http`',
        path: ['policies', name, 'hooks', index, 'job'],
        on: 'key',
      },
    ]
  })
}

/** A hook at a weight that no step has would never be done. */
function weightFindings(name: string, own: PolicySettings, policy: ResolvedPolicy | undefined): Finding[] {
  if (!policy) return []
  const weights = policy.steps.map(({ weightPercent }) => weightPercent)
  return policy.hooks.flatMap(({ id, weightsPercent }, index) =>
    (weightsPercent ?? []).flatMap((weight, at): Finding[] => {
      // Where neither is its own, the parent has the same finding.
      if (includesWeight(weights, weight) || (own.hooks === undefined && own.steps === undefined)) return []
      return [
        {
          code: 'CONFIG_STEPS',
          cause: `the hook "${id}" is for ${formatNumber(weight)}%, which no step has`,
          hint: `use some of ${[...new Set(weights)].map((one) => `${formatNumber(one)}%`).join(', ')}`,
          path: ['policies', name, ...(own.hooks === undefined ? ['steps'] : ['hooks', index, 'steps', at])],
        },
      ]
    }),
  )
}

/** A warm-up asks as probes do: there must be some of NEW. */
function warmFindings(config: ParsedConfig, { byName }: ResolvedPolicies): Finding[] {
  return config.workloads.flatMap((workload, index): Finding[] => {
    const name = workload.policy ?? config.policy
    const isWarmed = byName.get(name)?.steps.some(({ warm }) => warm !== null) ?? false
    if (!isWarmed || workload.probes.some((probe) => addressOf(probe, config).new !== null)) return []
    return [
      {
        code: 'CONFIG_MISSING_KEY',
        cause: `"${workload.name}" has no probe of NEW, and the policy "${name}" warms it up with its probes`,
        hint: 'add a probe with `address: { new: HOST }`',
        path: ['workloads', index, 'name'],
      },
    ]
  })
}
