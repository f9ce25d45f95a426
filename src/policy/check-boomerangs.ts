import type { Finding } from './finding.ts'
import type { TrafficKindConfig } from './kinds.ts'
import type { ResolvedPolicies } from './policies.ts'
import { targetsOf } from './resolve.ts'
import type { ParsedConfig } from './schema.ts'

/** A boomerang acts at once, and comes all the way back: nothing else would help clients that still ask NEW. */
export function checkBoomerangs(
  config: ParsedConfig,
  { byName }: ResolvedPolicies,
  kinds: readonly TrafficKindConfig[],
): Finding[] {
  return config.workloads.flatMap((workload, index): Finding[] => {
    if (workload.boomerang === undefined) return []
    const at = ['workloads', index]
    const name = workload.policy ?? config.policy
    const safePercent = byName.get(name)?.safeWeightPercent ?? 0
    const slow = targetsOf(workload, kinds).filter(
      ({ role, timing }) => role === 'boomerang' && timing.movingTtlSeconds !== null,
    )
    return [
      ...slow.map(
        ({ kind, path }): Finding => ({
          code: 'CONFIG_WRONG_VALUE',
          cause: `${kind} is a kind of DNS, which no boomerang can be: clients that still ask NEW do not ask it`,
          hint: 'name a route, a listener rule or a proxy in NEW',
          path: [...at, ...path],
          on: 'key',
        }),
      ),
      ...(safePercent === 0
        ? []
        : [
            {
              code: 'CONFIG_WRONG_VALUE',
              cause: `the policy "${name}" reverts to ${safePercent}%, but a boomerang sends everything back`,
              hint: 'use a policy with `safeWeight: 0%`, or remove the boomerang',
              path: [...at, 'boomerang'],
              on: 'key',
            } as const,
          ]),
    ]
  })
}
