import { formatNumber } from '../core/format.ts'
import { includesWeight } from '../core/weights.ts'
import type { Finding } from './finding.ts'
import { budgetOf } from './gates.ts'
import type { TrafficKindConfig } from './kinds.ts'
import type { ResolvedPolicies, ResolvedPolicy } from './policies.ts'
import { probedOf, sliNamesOf, targetsOf } from './resolve.ts'
import type { ParsedConfig } from './schema.ts'

/** Every weight of a workload's policy is one that its providers can have. */
export function checkWeights(
  config: ParsedConfig,
  { byName }: ResolvedPolicies,
  kinds: readonly TrafficKindConfig[],
): Finding[] {
  // By policy, of which ten thousand workloads have few.
  const wrong = new Map([...byName].map(([name, policy]) => [name, wrongWeights(policy, kinds)]))
  return config.workloads.flatMap((workload, index) => {
    const name = workload.policy ?? config.policy
    const wrongKinds = wrong.get(name) ?? []
    if (wrongKinds.length === 0) return []
    const splits = targetsOf(workload, kinds).filter(({ role }) => role === 'split')
    const named = new Set(splits.map(({ kind }) => kind))
    return wrongKinds
      .filter(({ kind }) => named.has(kind))
      .map(({ kind, weight, choices }): Finding => {
        const usable = choices.map((choice) => `${formatNumber(choice)}%`).join(' or ')
        return {
          code: 'CONFIG_STEPS',
          cause: `${kind} cannot have the weight ${weight}% of the policy "${name}"`,
          hint: `use ${usable} in a policy of this workload's own`,
          path: ['workloads', index, 'traffic', kind],
          on: 'key',
        }
      })
  })
}

interface WrongWeight {
  readonly kind: string
  readonly weight: number
  /** What the kind can have instead. */
  readonly choices: readonly number[]
}

/** The kinds that cannot have some weight of a policy, each with the first one. */
function wrongWeights(
  { safeWeightPercent, steps }: ResolvedPolicy,
  kinds: readonly TrafficKindConfig[],
): readonly WrongWeight[] {
  const weights = [safeWeightPercent, ...steps.map(({ weightPercent }) => weightPercent)]
  return kinds.flatMap(({ kind, nearestWeights }) => {
    const nearest = weights.map((weight) => ({ kind, weight, choices: nearestWeights(weight) }))
    return nearest.find(({ weight, choices }) => !includesWeight(choices, weight)) ?? []
  })
}

/**
 * An SLI that may revert can do so: even with every event bad, the burn is no more than 1 / budget, so a low objective
 * puts a pair's factor out of reach.
 */
export function checkBurnRates(config: ParsedConfig, { byName }: ResolvedPolicies): Finding[] {
  const told = new Set<string>()
  return judgedSlis(config).flatMap(({ sli, name }): Finding[] => {
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

/** A test whose margin is the whole of the events never speaks: no service can fail more than all of them. */
export function checkMargins(config: ParsedConfig, { byName }: ResolvedPolicies): Finding[] {
  const told = new Set<string>()
  return judgedSlis(config).flatMap(({ sli, name }): Finding[] => {
    const [objective, policy] = [config.slis[sli]?.objectivePercent ?? null, byName.get(name)]
    if (objective === null || !policy || told.has(sli)) return []
    const { revert, absolute } = policy.evidence
    const budgets = Math.max(revert.plusBudgets, absolute.plusBudgets)
    if (budgets * budgetOf(objective) < 1) return []
    told.add(sli)
    return [
      {
        code: 'CONFIG_WRONG_VALUE',
        cause: `at an objective of ${objective}% the tests of the policy "${name}" would let every request fail: ${formatNumber(budgets)} budgets are ${formatNumber(100 * budgets * budgetOf(objective))}%`,
        hint: 'raise the objective, or lower `plusBudgets` in the policy',
        path: ['slis', sli, 'objective'],
      },
    ]
  })
}

/** Every policy with every SLI that it judges some workload by, in the order of the workloads. */
function judgedSlis(config: ParsedConfig): readonly { readonly sli: string; readonly name: string }[] {
  const known = new Map<string, Set<string>>()
  return config.workloads.flatMap((workload) => {
    const name = workload.policy ?? config.policy
    const slis = known.get(name) ?? new Set()
    known.set(name, slis)
    const fresh = sliNamesOf(workload, config).filter((sli) => !slis.has(sli))
    return fresh.map((sli) => {
      slis.add(sli)
      return { sli, name }
    })
  })
}

/** Probes can stand in for traffic only where there are some of NEW. */
export function checkLowTraffic(config: ParsedConfig, { byName }: ResolvedPolicies): Finding[] {
  return config.workloads.flatMap((workload, index): Finding[] => {
    const name = workload.policy ?? config.policy
    if (byName.get(name)?.evidence.proof.lowTraffic.then !== 'probes') return []
    const needsProof = sliNamesOf(workload, config).some((sli) => (config.slis[sli]?.objectivePercent ?? null) !== null)
    if (!needsProof || probedOf(workload, config).length > 0) return []
    return [
      {
        code: 'CONFIG_MISSING_KEY',
        cause: `"${workload.name}" has no probe of NEW, which the policy "${name}" counts on where traffic is low`,
        hint: 'add a probe with `address: { new: HOST }`, or choose another `proof.lowTraffic.then`',
        path: ['workloads', index, 'name'],
      },
    ]
  })
}
