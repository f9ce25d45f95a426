import { formatNumber } from '../core/format.ts'
import { includesWeight } from '../core/weights.ts'
import type { Finding } from './finding.ts'
import type { TrafficKindConfig } from './kinds.ts'
import type { ResolvedPolicies } from './policies.ts'
import { sliNamesOf, targetsOf } from './resolve.ts'
import type { ParsedConfig } from './schema.ts'

/** Every weight of a workload's policy is one that its providers can have. */
export function checkWeights(
  config: ParsedConfig,
  { byName }: ResolvedPolicies,
  kinds: readonly TrafficKindConfig[],
): Finding[] {
  return config.workloads.flatMap((workload, index) => {
    const name = workload.policy ?? config.policy
    const policy = byName.get(name)
    if (!policy) return []
    const weights = [policy.safeWeightPercent, ...policy.steps.map(({ weightPercent }) => weightPercent)]
    const named = new Set(targetsOf(workload, kinds).map(({ kind }) => kind))
    return kinds
      .filter(({ kind }) => named.has(kind))
      .flatMap(({ kind, nearestWeights }): Finding[] => {
        const nearest = weights.map((weight) => ({ weight, choices: nearestWeights(weight) }))
        const wrong = nearest.find(({ weight, choices }) => !includesWeight(choices, weight))
        if (!wrong) return []
        const choices = wrong.choices.map((weight) => `${formatNumber(weight)}%`).join(' or ')
        return [
          {
            code: 'CONFIG_STEPS',
            cause: `${kind} cannot have the weight ${wrong.weight}% of the policy "${name}"`,
            hint: `use ${choices} in a policy of this workload's own`,
            path: ['workloads', index, 'traffic', kind],
            on: 'key',
          },
        ]
      })
  })
}

/**
 * An SLI that may revert can do so: even with every event bad, the burn is no more than 1 / budget, so a low objective
 * puts a pair's factor out of reach.
 */
export function checkBurnRates(config: ParsedConfig, { byName }: ResolvedPolicies): Finding[] {
  const used = config.workloads.flatMap((workload) =>
    sliNamesOf(workload, config).map((sli) => ({ sli, name: workload.policy ?? config.policy })),
  )
  const told = new Set<string>()
  return used.flatMap(({ sli, name }): Finding[] => {
    const [settings, policy] = [config.slis[sli], byName.get(name)]
    if (!settings || settings.objectivePercent === null || !policy || told.has(sli)) return []
    const most = 100 / (100 - settings.objectivePercent)
    const feared = policy.burnRate.filter(({ then }) => settings.worst === 'halt' || then === 'revert')
    const least = Math.min(...feared.map(({ factor }) => factor))
    if (feared.length === 0 || least <= most) return []
    told.add(sli)
    const what = settings.worst === 'halt' ? 'fire' : 'revert'
    return [
      {
        code: 'CONFIG_WRONG_VALUE',
        cause: `at an objective of ${settings.objectivePercent}% no burn rate of the policy "${name}" can ever ${what}: the most is ${formatNumber(most)} × the budget, the least factor ${least}`,
        hint:
          settings.worst === 'halt'
            ? 'raise the objective, or give the policy a lower factor'
            : 'write `worst: halt` if halting is meant, or give the policy a lower factor that reverts',
        path: ['slis', sli, 'objective'],
      },
    ]
  })
}
