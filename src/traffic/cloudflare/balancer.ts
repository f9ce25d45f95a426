import type { LoadBalancerEditParams } from 'cloudflare/resources/load-balancers/load-balancers'
import { z } from 'zod'
import { missing } from '../../core/observation.ts'
import { Problem, problem } from '../../core/problem.ts'
import type { TrafficFinding, WeightChange, WeightReading } from '../../ports/traffic.ts'
import { missingFor } from '../failure.ts'
import { sharePercent } from '../ratio.ts'
import { inexpressible } from '../weight.ts'
import type { CloudflareSettings } from './settings.ts'
import { nearestWeights, poolWeights } from './weights.ts'

const poolLists = z.record(z.string(), z.array(z.string())).nullish()

/** The parts of a load balancer that are looked at, after the API's published schema. */
export const loadBalancer = z.object({
  id: z.string(),
  name: z.string(),
  enabled: z.boolean().nullish(),
  proxied: z.boolean().nullish(),
  ttl: z.number().nullish(),
  default_pools: z.array(z.string()),
  steering_policy: z.string().nullish(),
  session_affinity: z.string().nullish(),
  random_steering: z
    .object({
      default_weight: z.number().min(0).nullish(),
      pool_weights: z.record(z.string(), z.number().min(0)).nullish(),
    })
    .nullish(),
  region_pools: poolLists,
  country_pools: poolLists,
  pop_pools: poolLists,
  rules: z.array(z.object({ disabled: z.boolean().nullish() })).nullish(),
  pool_sets: z.array(z.unknown()).nullish(),
})

export const loadBalancers = z.array(loadBalancer)

export type LoadBalancer = z.output<typeof loadBalancer>

/** NEW's share by the weights, percent; null: both are 0. Or why there is none. */
export function shareOf(settings: CloudflareSettings, balancer: LoadBalancer): number | null | Problem {
  const { name, steering_policy: policy, default_pools: pools, random_steering: steering } = balancer
  if (policy !== 'random')
    return problem('TRAFFIC_WRONG_TYPE', `load balancer ${name} steers by \`${policy ?? ''}\``, {
      hint: 'set its steering policy to `random`: no other splits by weights alone',
    })
  const absent = [settings.old, settings.new].find((pool) => !pools.includes(pool))
  if (absent !== undefined)
    return problem('TRAFFIC_NOT_FOUND', `pool ${absent} is none of load balancer ${name}'s default pools`)
  // A pool that is not named has the default weight, which is 1 unless something else is said.
  const weightOf = (pool: string) => steering?.pool_weights?.[pool] ?? steering?.default_weight ?? 1
  const other = pools.find((pool) => pool !== settings.old && pool !== settings.new && weightOf(pool) > 0)
  if (other !== undefined)
    return problem('TRAFFIC_WRONG_TYPE', `load balancer ${name} sends traffic to pool ${other} too`, {
      hint: 'give that pool weight 0, or take it out of the default pools',
    })
  return sharePercent({ old: weightOf(settings.old), new: weightOf(settings.new) })
}

/** The weight that is in force; missing where the load balancer does not serve by its weights. */
export function readingOf(settings: CloudflareSettings, balancer: LoadBalancer | Problem): WeightReading {
  if (balancer instanceof Problem) return missingFor(balancer)
  const { name, enabled, proxied, ttl } = balancer
  const weightPercent = shareOf(settings, balancer)
  if (weightPercent instanceof Problem) return missingFor(weightPercent)
  if (enabled === false) return missing('refused', `load balancer ${name} is disabled: nobody is served by its weights`)
  if (weightPercent === null) return missing('not-a-number', `both pools of load balancer ${name} have weight 0`)
  const isDnsOnly = proxied !== true && typeof ttl === 'number'
  return { kind: 'weight', weightPercent, ...(isDnsOnly && { ttlSeconds: ttl }) }
}

/** What is to be set for a change; null: it is so already. TRAFFIC_WEIGHT for a weight that cannot be had. */
export function editFor(
  settings: CloudflareSettings,
  balancer: LoadBalancer,
  change: WeightChange,
): LoadBalancerEditParams | null | Problem {
  const weights = poolWeights(change.weightPercent)
  if (weights === null) return inexpressible('Cloudflare', change.weightPercent, nearestWeights(change.weightPercent))
  const share = shareOf(settings, balancer)
  if (share instanceof Problem) return share
  const { proxied, ttl, random_steering: steering } = balancer
  // A proxied name has Cloudflare's own TTL, which nobody can set.
  const wantedTtl = proxied === true || change.ttlSeconds === ttl ? null : change.ttlSeconds
  const isThere = share === change.weightPercent
  if (isThere && wantedTtl === null) return null
  return {
    ...(wantedTtl !== null && { ttl: wantedTtl }),
    ...(!isThere && {
      // It is replaced whole: what others have in it goes along.
      random_steering: {
        ...(typeof steering?.default_weight === 'number' && { default_weight: steering.default_weight }),
        pool_weights: { ...steering?.pool_weights, [settings.old]: weights.old, [settings.new]: weights.new },
      },
    }),
  }
}

/** What would keep the clients from following the weights. */
export function warningsFor(targetId: string, balancer: LoadBalancer): readonly TrafficFinding[] {
  const { name, session_affinity: affinity, region_pools, country_pools, pop_pools, rules, pool_sets } = balancer
  const found: Problem[] = []
  if (affinity && affinity !== 'none')
    found.push(problem('TRAFFIC_STICKY', `load balancer ${name} has session affinity by ${affinity}`))
  const isByPlace = [region_pools, country_pools, pop_pools].some((lists) => Object.keys(lists ?? {}).length > 0)
  const hasRules = rules?.some(({ disabled }) => disabled !== true) || (pool_sets ?? []).length > 0
  if (isByPlace || hasRules)
    found.push(
      problem('TRAFFIC_WRONG_TYPE', `load balancer ${name} has ${isByPlace ? 'pools by place' : 'rules'}`, {
        hint: 'whoever they choose pools for is not split by the weights: take them out while traffic moves',
      }),
    )
  return found.map((one) => ({ targetId, level: 'warn', problem: one.toJSON() }))
}
