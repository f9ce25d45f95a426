import { missing } from '../../core/observation.ts'
import type { Sides } from '../../core/plan.ts'
import { Problem, problem } from '../../core/problem.ts'
import type { WeightChange, WeightReading } from '../../ports/traffic.ts'
import { missingFor } from '../failure.ts'
import { sharePercent } from '../ratio.ts'
import { canonicalValue, wireName, wireValue } from './names.ts'
import type { GoogleCloudDnsSettings } from './settings.ts'
import type { Rrset, WrrItem } from './wire.ts'

/** A target's record set, with what is known of its split. */
export interface Split {
  readonly rrset: Rrset
  /** NEW's share, percent; null: all weights are 0. */
  readonly weightPercent: number | null
}

/** Finds OLD and NEW in a record set: TRAFFIC_WRONG_TYPE where it has no split of these two alone. */
export function splitOf(settings: GoogleCloudDnsSettings, rrset: Rrset): Split | Problem {
  const place = `${settings.record} ${settings.type}`
  const items = rrset.routingPolicy?.wrr?.items
  if (items === undefined) {
    if (rrset.routingPolicy !== undefined)
      return problem('TRAFFIC_WRONG_TYPE', `${place} has a routing policy other than weighted round robin`)
    if (isSide(settings, 'old', rrset.rrdatas)) return { rrset, weightPercent: 0 }
    if (isSide(settings, 'new', rrset.rrdatas)) return { rrset, weightPercent: 100 }
    return problem('TRAFFIC_NOT_FOUND', `${place} has neither the values of old nor those of new`)
  }
  const old = items.find((item) => isSide(settings, 'old', valuesOf(item)))
  const new_ = items.find((item) => isSide(settings, 'new', valuesOf(item)))
  if (!old || !new_) return problem('TRAFFIC_NOT_FOUND', `no item of ${place} has the values of ${old ? 'new' : 'old'}`)
  if (items.some((item) => item !== old && item !== new_ && item.weight > 0))
    return problem('TRAFFIC_WRONG_TYPE', `${place} sends traffic to other values too`, {
      hint: 'give the other items weight 0, or take them out',
    })
  return { rrset, weightPercent: sharePercent({ old: old.weight, new: new_.weight }) }
}

/** What a record set says, with what only its surroundings know. */
export function readingOf(
  split: Split | Problem,
  more: { readonly isPending: boolean; readonly otherWriter: string | null },
): WeightReading {
  if (split instanceof Problem) return split.code === 'TRAFFIC_WRONG_TYPE' ? refusedFor(split) : missingFor(split)
  const { rrset, weightPercent } = split
  if (weightPercent === null) return missing('not-a-number', `all weights of ${rrset.name} are 0`)
  return {
    kind: 'weight',
    weightPercent,
    ttlSeconds: rrset.ttl,
    ...(more.isPending && { pending: 'a change of the zone is not on all name servers of Google yet' }),
    ...(more.otherWriter !== null && { otherWriter: more.otherWriter }),
  }
}

function refusedFor(why: Problem): WeightReading {
  return missing('refused', why.message)
}

/** The record set as the change wants it; null: it is so already. A plain one becomes weighted where that is needed. */
export function changedRrset(settings: GoogleCloudDnsSettings, split: Split, change: WeightChange): Rrset | null {
  const { rrset, weightPercent } = split
  const ttl = change.ttlSeconds ?? rrset.ttl
  if (weightPercent === change.weightPercent) return ttl === rrset.ttl ? null : { ...rrset, ttl }
  const weights = wireWeights(change.weightPercent)
  const { rrdatas: plain, ...bare } = rrset
  const wrr = rrset.routingPolicy?.wrr
  if (!wrr) {
    const sides = { old: wireValues(settings, 'old'), new: wireValues(settings, 'new') }
    const items = (['old', 'new'] as const).map((side) => ({
      weight: weights[side],
      // Values that are there stay in the words in which they are there.
      rrdatas: isSide(settings, side, plain) && plain ? plain : sides[side],
    }))
    return { ...bare, name: wireName(rrset.name), ttl, routingPolicy: { wrr: { items } } }
  }
  const items = wrr.items.map((item) => {
    const side = (['old', 'new'] as const).find((one) => isSide(settings, one, valuesOf(item)))
    return side === undefined ? item : { ...item, weight: weights[side] }
  })
  return { ...rrset, ttl, routingPolicy: { ...rrset.routingPolicy, wrr: { ...wrr, items } } }
}

/** Decimals of 0 to 1 with a sum of 1: older texts of the API allow no others. */
function wireWeights(weightPercent: number): Sides<number> {
  const permille = Math.round(weightPercent * 10)
  return { old: (1000 - permille) / 1000, new: permille / 1000 }
}

function wireValues(settings: GoogleCloudDnsSettings, side: 'old' | 'new'): string[] {
  return settings[side].map((value) => wireValue(settings.type, value))
}

/** The addresses that an item answers with, health-checked ones too. */
function valuesOf({ rrdatas = [], healthCheckedTargets }: WrrItem): readonly string[] {
  const balancers = healthCheckedTargets?.internalLoadBalancers ?? []
  return [
    ...rrdatas,
    ...(healthCheckedTargets?.externalEndpoints ?? []),
    ...balancers.flatMap(({ ipAddress }) => (ipAddress === undefined ? [] : [ipAddress])),
  ]
}

function isSide(settings: GoogleCloudDnsSettings, side: 'old' | 'new', values: readonly string[] = []): boolean {
  const canonical = (texts: readonly string[]) =>
    new Set(texts.map((text) => canonicalValue(settings.type, text) ?? text))
  const wanted = canonical(settings[side])
  const found = canonical(values)
  return wanted.size === found.size && [...wanted].every((value) => found.has(value))
}
