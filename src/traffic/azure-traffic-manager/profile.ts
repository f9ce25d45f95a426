import type { Endpoint, Profile } from '@azure/arm-trafficmanager'
import { z } from 'zod'
import type { Side, Sides } from '../../core/plan.ts'
import { Problem, problem } from '../../core/problem.ts'
import type { TrafficReading } from '../../ports/traffic.ts'
import { isSameName } from '../azure.ts'
import { badAzureAnswer } from '../azure-call.ts'
import { sharePercent } from '../ratio.ts'
import type { TrafficManagerSettings } from './settings.ts'

/** Azure Kubernetes Fleet Manager puts it on the profiles that it makes; its value is NAMESPACE/NAME. */
const FLEET_TAG = 'networking.fleet.azure.com.trafficManagerProfile'

// What a profile must have for us; the SDK hands on whatever came.
const endpointShape = z.object({
  name: z.string(),
  endpointStatus: z.enum(['Enabled', 'Disabled']),
  endpointMonitorStatus: z.string().nullish(),
  weight: z.int().min(1).max(1000).nullish(),
})
// What is wrong with somebody else's endpoint must not keep ours from being reverted.
const strangerShape = z.looseObject({ name: z.string(), endpointStatus: z.string().nullish() })
const profileShape = z.object({
  profileStatus: z.enum(['Enabled', 'Disabled']),
  trafficRoutingMethod: z.string(),
  dnsConfig: z.object({ ttl: z.int().min(0) }),
  endpoints: z
    .array(strangerShape)
    .nullish()
    .transform((list) => list ?? []),
  tags: z.record(z.string(), z.string()).nullish(),
})
type CheckedEndpoint = z.output<typeof endpointShape>

/** A profile, seen as a split of two. */
export interface Split {
  readonly settings: TrafficManagerSettings
  /** As it came: what is written is this with a few changes. */
  readonly profile: Profile
  readonly checked: z.output<typeof profileShape>
  readonly sides: Sides<CheckedEndpoint>
}

/** Finds the two endpoints; TRAFFIC_NOT_FOUND, TRAFFIC_WRONG_TYPE for a name that two have, TRAFFIC_BAD_ANSWER. */
export function splitOf(settings: TrafficManagerSettings, profile: Profile): Split | Problem {
  const checked = profileShape.safeParse(profile)
  if (!checked.success)
    return badAzureAnswer(nameOf(settings), `with no profile (${checked.error.issues[0]?.path.join('.')})`)
  const sides = {
    old: find(settings, 'old', checked.data.endpoints),
    new: find(settings, 'new', checked.data.endpoints),
  }
  if (sides.old instanceof Problem) return sides.old
  if (sides.new instanceof Problem) return sides.new
  return { settings, profile, checked: checked.data, sides: { old: sides.old, new: sides.new } }
}

function find(
  settings: TrafficManagerSettings,
  side: Side,
  endpoints: readonly { readonly name: string }[],
): CheckedEndpoint | Problem {
  const [found, ...others] = endpoints.filter(({ name }) => isSameName(name, settings[side]))
  if (!found) return problem('TRAFFIC_NOT_FOUND', `${nameOf(settings)} has no endpoint ${settings[side]}`)
  const checked = endpointShape.safeParse(found)
  if (!checked.success)
    return badAzureAnswer(
      nameOf(settings),
      `with no endpoint ${found.name} (${checked.error.issues[0]?.path.join('.')})`,
    )
  if (others.length === 0) return checked.data
  return problem('TRAFFIC_WRONG_TYPE', `${nameOf(settings)} has several endpoints ${settings[side]}`, {
    hint: 'give endpoints of different types different names',
  })
}

/**
 * The weights that count: 0 for an endpoint that is disabled. null: an enabled one came without a weight.
 */
export function weightsOf({ sides }: Split): Sides<number> | null {
  const weights = { old: effective(sides.old), new: effective(sides.new) }
  return weights.old === null || weights.new === null ? null : { old: weights.old, new: weights.new }
}

function effective({ endpointStatus, weight }: CheckedEndpoint): number | null {
  return endpointStatus === 'Disabled' ? 0 : (weight ?? null)
}

/**
 * What is in force. With NEW disabled that is 0 %, whatever else is wrong with the profile; else the weights must be
 * what Traffic Manager goes by: a profile that is enabled, routes by weight, has no third endpoint enabled, and
 * serves both.
 */
export function readingOf(split: Split): TrafficReading | Problem {
  const { settings, checked, sides } = split
  const weights = weightsOf(split)
  if (weights === null) return badAzureAnswer(nameOf(settings), 'with an enabled endpoint that has no weight')
  const weightPercent = sharePercent(weights)
  if (weightPercent === null)
    return problem('TRAFFIC_REFUSED', `both endpoints of ${nameOf(settings)} are disabled`, {
      hint: 'enable the endpoint of OLD',
    })
  const why = (weightPercent > 0 ? typeProblem(split) : null) ?? idleProblem(split)
  if (why) return why
  const checking = [sides.old, sides.new].filter(
    (one) => isEnabled(one) && one.endpointMonitorStatus === 'CheckingEndpoint',
  )
  const owner = checked.tags?.[FLEET_TAG]
  return {
    kind: 'weight',
    weightPercent,
    ttlSeconds: checked.dnsConfig.ttl,
    ...(checking[0] && { pending: `Traffic Manager has not probed endpoint ${checking[0].name} yet` }),
    ...(owner !== undefined && {
      otherWriter:
        `Azure Kubernetes Fleet Manager keeps ${nameOf(settings)} as its TrafficManagerProfile ${owner} says: ` +
        'use a profile of your own, or delete the TrafficManagerBackends that refer to it',
    }),
  }
}

/** Why weights between the two are not what decides here; null: they are. */
export function typeProblem({ settings, checked }: Split): Problem | null {
  if (checked.trafficRoutingMethod !== 'Weighted')
    return problem(
      'TRAFFIC_WRONG_TYPE',
      `${nameOf(settings)} routes by ${checked.trafficRoutingMethod}, not by weight`,
      {
        hint: 'set its routing method to Weighted',
      },
    )
  const third = checked.endpoints.find(
    (one) =>
      one.endpointStatus !== 'Disabled' && !isSameName(one.name, settings.old) && !isSameName(one.name, settings.new),
  )
  if (!third) return null
  return problem('TRAFFIC_WRONG_TYPE', `${nameOf(settings)} also sends traffic to endpoint ${third.name}`, {
    hint: 'disable it, or put the two behind a nested profile of their own',
  })
}

/** Traffic Manager leaves out an endpoint in these states, as long as it has another one. */
const IDLE: ReadonlySet<string> = new Set(['Degraded', 'Inactive', 'Stopped'])

/** Why some enabled endpoint gets nothing; null: those that are enabled are served. */
function idleProblem({ settings, checked, sides }: Split): Problem | null {
  if (checked.profileStatus === 'Disabled')
    return problem('TRAFFIC_REFUSED', `${nameOf(settings)} is disabled: it answers nothing`, { hint: 'enable it' })
  const enabled = [sides.old, sides.new].filter(isEnabled)
  // When all are degraded, Traffic Manager answers as if all were well.
  if (enabled.every(({ endpointMonitorStatus }) => endpointMonitorStatus === 'Degraded')) return null
  const idle = enabled.find(({ endpointMonitorStatus }) => IDLE.has(endpointMonitorStatus ?? ''))
  if (!idle) return null
  return problem(
    'TRAFFIC_REFUSED',
    `endpoint ${idle.name} of ${nameOf(settings)} is ${idle.endpointMonitorStatus}: its weight is not in force`,
    { hint: "see why Traffic Manager's probe of it fails" },
  )
}

export function isDegraded({ sides }: Split): boolean {
  return [sides.old, sides.new].some((one) => isEnabled(one) && one.endpointMonitorStatus === 'Degraded')
}

/** The change of a profile that gives it these weights, and this TTL if it is not null. 0 disables an endpoint. */
export function profileWith({ settings, profile }: Split, weights: Sides<number>, ttlSeconds: number | null): Profile {
  const endpoints = (profile.endpoints ?? []).map((endpoint): Endpoint => {
    // Its health is Traffic Manager's to say.
    const { endpointMonitorStatus: _, ...kept } = endpoint
    const side = (['old', 'new'] satisfies Side[]).find((one) => isSameName(endpoint.name ?? '', settings[one]))
    if (!side) return kept
    // There is no weight 0. Whoever enables a disabled endpoint by hand starts with the least.
    return { ...kept, endpointStatus: weights[side] === 0 ? 'Disabled' : 'Enabled', weight: Math.max(1, weights[side]) }
  })
  return { endpoints, ...(ttlSeconds !== null && { dnsConfig: { ...profile.dnsConfig, ttl: ttlSeconds } }) }
}

export function nameOf({ profile }: TrafficManagerSettings): string {
  return `profile ${profile} of Traffic Manager`
}

function isEnabled({ endpointStatus }: CheckedEndpoint): boolean {
  return endpointStatus === 'Enabled'
}
