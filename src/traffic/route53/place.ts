import type { ResourceRecordSet, RRType } from '@aws-sdk/client-route-53'
import { missing } from '../../core/observation.ts'
import type { Side, Sides } from '../../core/plan.ts'
import { Problem, problem } from '../../core/problem.ts'
import type { WeightReading } from '../../ports/traffic.ts'
import { missingFor } from '../failure.ts'
import { sharePercent } from '../ratio.ts'
import type { Route53Settings } from './settings.ts'

/** A weighted record. Whatever else it has is kept as it came. */
export type Weighted = ResourceRecordSet & { readonly Weight: number }

/** A name and type as a zone has it, or as Headgate would make it with the first change. */
export interface Place {
  readonly siblings: Sides<Weighted>
  /** Those that do not exist yet. */
  readonly absent: readonly Side[]
  /** The simple record that stands in the way, and is replaced by both siblings in one batch; null: there is none. */
  readonly simple: ResourceRecordSet | null
  /** Other weighted records of the same name and type. */
  readonly strangers: readonly Weighted[]
}

/** The types that lead clients to a cluster. */
const LEADING_TYPES: readonly RRType[] = ['A', 'AAAA', 'CNAME']
/** What an alias to a load balancer is answered with (developer guide, "Choosing between alias and non-alias records"), seconds. */
export const ALIAS_TTL_SECONDS = 60
/** The TTL of a record made beside an alias, which has none to copy, where the config names none either, seconds. */
const USUAL_TTL_SECONDS = 60
/** OLD's weight when a simple record becomes a weighted one: it alone answers until NEW has a weight. */
const WHOLE_WEIGHT = 100

/**
 * Picks out a target's records from all those of its name. TRAFFIC_NOT_FOUND when one is missing and the settings don't
 * say how to make it, TRAFFIC_WRONG_TYPE for another routing policy, or when it is not clear which type is meant.
 */
export function placeIn(settings: Route53Settings, ofName: readonly ResourceRecordSet[]): Place | Problem {
  const type = typeIn(settings, ofName)
  if (type instanceof Problem) return type
  const sets = ofName.filter(({ Type }) => Type === type)
  const what = `${settings.record} ${type}`
  const odd = sets.find((set) => otherRoutingOf(set) !== null)
  if (odd)
    return problem('TRAFFIC_WRONG_TYPE', `${what} is routed by ${otherRoutingOf(odd)}, not by weight`, {
      hint: 'give it weighted records, or choose another name',
    })
  const weighted = sets.filter(isWeighted)
  const simple = sets.find(({ SetIdentifier }) => SetIdentifier === undefined) ?? null
  const old = simple
    ? { ...simple, SetIdentifier: settings.old, Weight: WHOLE_WEIGHT }
    : weighted.find(({ SetIdentifier }) => SetIdentifier === settings.old)
  if (!old) return noSibling(what, settings.old, weighted)
  const there = weighted.find(({ SetIdentifier }) => SetIdentifier === settings.new)
  const fresh = there ?? newRecord(settings, old)
  if (!fresh && simple)
    return problem('TRAFFIC_WRONG_TYPE', `${what} is a simple record, which has no weight`, {
      hint: 'say `newValues` or `newAlias`, and Headgate makes it weighted with its first change',
    })
  if (!fresh) return noSibling(what, settings.new, weighted)
  return {
    siblings: { old, new: fresh },
    absent: simple ? ['old', 'new'] : there ? [] : ['new'],
    simple,
    strangers: weighted.filter((one) => one !== old && one !== there),
  }
}

/**
 * The weight that Route 53 answers by. All weights 0 is an even split (API reference, ResourceRecordSet). A third record that
 * gets answers makes the reading missing: no weight of ours would be NEW's share.
 */
export function readingOf(settings: Route53Settings, place: Place | Problem): WeightReading {
  if (place instanceof Problem) return missingFor(place)
  const { siblings, strangers } = place
  const weights = weightsOf(siblings)
  const isAllZero = weights.old === 0 && weights.new === 0
  const third = strangers.find(({ Weight }) => Weight > 0 || isAllZero)
  if (third)
    return missing(
      'refused',
      `the record ${third.SetIdentifier} of ${settings.record} gets a part of the answers too (weight ${third.Weight}); remove it, or set ${settings.old} or ${settings.new} above 0 and it to 0`,
    )
  const ttlSeconds = ttlOf(settings, siblings)
  return { kind: 'weight', weightPercent: sharePercent(weights) ?? 50, ...(ttlSeconds !== null && { ttlSeconds }) }
}

export function weightsOf(siblings: Sides<Weighted>): Sides<number> {
  return { old: siblings.old.Weight, new: siblings.new.Weight }
}

/**
 * The longer of the siblings' TTLs, seconds. An alias has none that could be changed, so its 60 s are told only where
 * nobody would try to lower them. null: both are such aliases.
 */
function ttlOf({ movingTtlSeconds }: Route53Settings, { old, new: fresh }: Sides<Weighted>): number | null {
  const isLeft = movingTtlSeconds === null || movingTtlSeconds >= ALIAS_TTL_SECONDS
  const known = [old, fresh].flatMap(({ TTL }) => TTL ?? (isLeft ? ALIAS_TTL_SECONDS : []))
  return known.length === 0 ? null : Math.max(...known)
}

function typeIn(settings: Route53Settings, ofName: readonly ResourceRecordSet[]): RRType | Problem {
  const { record, type, old, new: fresh } = settings
  if (type !== undefined) {
    if (ofName.some(({ Type }) => Type === type)) return type
    return problem('TRAFFIC_NOT_FOUND', `the zone has no ${type} record of the name ${record}`)
  }
  const candidates = ofName.filter(({ Type }) => Type !== undefined && LEADING_TYPES.includes(Type))
  const ours = candidates.filter(({ SetIdentifier }) => SetIdentifier === old || SetIdentifier === fresh)
  const types = [...new Set((ours.length > 0 ? ours : candidates).map(({ Type }) => Type))]
  const [first, second] = types
  if (first === undefined) return problem('TRAFFIC_NOT_FOUND', `the zone has no record of the name ${record}`)
  if (second === undefined) return first
  return problem('TRAFFIC_WRONG_TYPE', `${record} has records of the types ${types.join(' and ')}`, {
    hint: 'make a target of each type, with `type` in both: they are to move together',
  })
}

/** What decides on the answers of a record set beside weights; null: nothing else does. */
function otherRoutingOf(set: ResourceRecordSet): string | null {
  if (set.TrafficPolicyInstanceId !== undefined) return 'a traffic policy'
  if (set.Region !== undefined) return 'latency'
  if (set.GeoLocation !== undefined) return 'geolocation'
  if (set.GeoProximityLocation !== undefined) return 'geoproximity'
  if (set.Failover !== undefined) return 'failover'
  if (set.MultiValueAnswer !== undefined) return 'multivalue answer'
  if (set.CidrRoutingConfig !== undefined) return 'CIDR blocks'
  return null
}

function isWeighted(set: ResourceRecordSet): set is Weighted {
  return set.SetIdentifier !== undefined && Number.isInteger(set.Weight)
}

function noSibling(what: string, wanted: string, weighted: readonly Weighted[]): Problem {
  const there = weighted.map(({ SetIdentifier }) => SetIdentifier).join(', ') || 'none'
  return problem(
    'TRAFFIC_NOT_FOUND',
    `${what} has no weighted record with the SetIdentifier ${wanted}; it has ${there}`,
  )
}

/** NEW's record as the settings describe it, of weight 0; undefined: they don't. */
function newRecord(
  { new: SetIdentifier, newValues, newAlias, movingTtlSeconds }: Route53Settings,
  old: Weighted,
): Weighted | undefined {
  const { Name, Type } = old
  const common = { Name, Type, SetIdentifier, Weight: 0 }
  if (newAlias)
    return {
      ...common,
      AliasTarget: {
        HostedZoneId: newAlias.zone,
        DNSName: newAlias.name,
        EvaluateTargetHealth: newAlias.evaluateTargetHealth,
      },
    }
  if (!newValues) return undefined
  return {
    ...common,
    TTL: old.TTL ?? movingTtlSeconds ?? USUAL_TTL_SECONDS,
    ResourceRecords: newValues.map((Value) => ({ Value })),
  }
}
