import type { Finding } from './finding.ts'
import type { TrafficKindConfig } from './kinds.ts'
import type { ResolvedPolicies } from './policies.ts'
import { targetsOf } from './resolve.ts'
import type { ParsedConfig } from './schema.ts'

/** Every trial of a workload's policy is one that all of its providers can do; and nothing but OLD is safe beside one. */
export function checkTrials(
  config: ParsedConfig,
  { byName }: ResolvedPolicies,
  kinds: readonly TrafficKindConfig[],
): Finding[] {
  return config.workloads.flatMap((workload, index): Finding[] => {
    const name = workload.policy ?? config.policy
    const trials = (byName.get(name)?.steps ?? []).flatMap(({ trial }) => trial?.kind ?? [])
    if (trials.length === 0) return []
    const used = targetsOf(workload, kinds).filter(({ role }) => role === 'split')
    return kinds.flatMap(({ kind, trials: possible = [] }): Finding[] => {
      const target = used.find((one) => one.kind === kind)
      const missing = trials.find((trial) => !possible.includes(trial))
      if (!target || missing === undefined) return []
      const able = kinds.filter((one) => one.trials?.includes(missing)).map((one) => one.kind)
      return [
        {
          code: 'CONFIG_STEPS',
          cause: `${kind} has no way to do the step "${missing}" of the policy "${name}"`,
          hint: able.length > 0 ? `that takes one of: ${able.join(', ')}` : 'remove the step',
          path: ['workloads', index, ...target.path],
          on: 'key',
        },
      ]
    })
  })
}
