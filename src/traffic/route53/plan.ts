import type { Change } from '@aws-sdk/client-route-53'
import type { Side, Sides } from '../../core/plan.ts'
import { type Problem, problem } from '../../core/problem.ts'
import type { WeightChange } from '../../ports/traffic.ts'
import { nearestWholeWeights, sharePercent, wholeWeights } from '../ratio.ts'
import { inexpressible } from '../weight.ts'
import { type Place, type Weighted, weightsOf } from './place.ts'
import type { Route53Settings } from './settings.ts'

/** Route 53 takes whole weights, 0 to 255 (API reference, ResourceRecordSet). */
const MAX_WEIGHT = 255

const SIDES: readonly Side[] = ['old', 'new']

/** What is to be changed for one target. */
export interface Plan {
  readonly targetId: string
  /** None at all: everything is as it should be. */
  readonly changes: readonly Change[]
  /** The place as the changes leave it. */
  readonly place: Place
}

/** The nearest weights below and above that Route 53 can express, percent. */
export function nearestWeights(weightPercent: number): readonly number[] {
  return nearestWholeWeights(weightPercent, MAX_WEIGHT)
}

/**
 * Plans a change of a place as it was read. `isFresh`: it was read (or written) so shortly before that what is there already
 * need not be written. TRAFFIC_WEIGHT for a weight that cannot be expressed; TRAFFIC_UNEQUAL where NEW has another
 * health check than the failover wants.
 */
export function planChange(
  change: WeightChange,
  settings: Route53Settings,
  place: Place,
  isFresh: boolean,
): Plan | Problem {
  const weights = wantedWeights(change.weightPercent, weightsOf(place.siblings))
  if (weights === null) return inexpressible('Route 53', change.weightPercent, nearestWeights(change.weightPercent))
  const clash = failoverClash(settings, place)
  if (clash && weights.new > 0) return clash
  const siblings = {
    old: siblingWith(place.siblings.old, weights.old, change.ttlSeconds, null),
    new: siblingWith(
      place.siblings.new,
      weights.new,
      change.ttlSeconds,
      weights.new > 0 ? (settings.failover?.healthCheck ?? null) : null,
    ),
  }
  const differing = SIDES.filter((side) => !isSame(place.siblings[side], siblings[side]))
  // What was read long ago may not be there any more: then NEW is written even if it looks right.
  const sides = isFresh ? differing : SIDES.filter((side) => differing.includes(side) || isAtStake(side, change, place))
  if (sides.length === 0) return { targetId: change.targetId, changes: [], place }
  return {
    targetId: change.targetId,
    changes: changesFor(place, siblings, sides),
    place: {
      ...place,
      siblings,
      simple: null,
      absent: place.simple ? [] : place.absent.filter((side) => !sides.includes(side)),
    },
  }
}

/** NEW's record has another health check than the failover is to give it: one of them would be lost. */
export function failoverClash({ record, failover }: Route53Settings, { siblings }: Place): Problem | null {
  const there = siblings.new.HealthCheckId
  if (!failover || there === undefined || there === failover.healthCheck) return null
  return problem(
    'TRAFFIC_UNEQUAL',
    `the new record of ${record} has the health check ${there}, and \`failover\` wants ${failover.healthCheck}`,
    { hint: 'make a calculated health check of both, give it to the record, and name it in `failover`' },
  )
}

/** Weights that are right already stay; at 0 % and 100 % one record is enough. OLD is 0 at 100 % alone. */
function wantedWeights(weightPercent: number, now: Sides<number>): Sides<number> | null {
  if (weightPercent === 0 && now.old > 0) return { old: now.old, new: 0 }
  if (weightPercent === 100 && now.new > 0) return { old: 0, new: now.new }
  if (sharePercent(now) === weightPercent) return now
  return wholeWeights(weightPercent, MAX_WEIGHT)
}

/** Whether an unknown change of this record would change the share; at 0 % it is NEW's weight alone. */
function isAtStake(side: Side, { weightPercent }: WeightChange, { absent }: Place): boolean {
  if (absent.length > 0) return false
  return side === 'new' || weightPercent > 0
}

function siblingWith(
  sibling: Weighted,
  weight: number,
  ttlSeconds: number | null,
  healthCheck: string | null,
): Weighted {
  return {
    ...sibling,
    Weight: weight,
    // An alias has no TTL of its own.
    ...(ttlSeconds !== null && sibling.TTL !== undefined && { TTL: ttlSeconds }),
    ...(healthCheck !== null && { HealthCheckId: healthCheck }),
  }
}

function isSame(a: Weighted, b: Weighted): boolean {
  return a.Weight === b.Weight && a.TTL === b.TTL && a.HealthCheckId === b.HealthCheckId
}

/** UPSERTs of what is there, CREATEs of what is not; a simple record is deleted in the same batch. */
function changesFor(place: Place, siblings: Sides<Weighted>, sides: readonly Side[]): readonly Change[] {
  if (place.simple)
    return [
      { Action: 'DELETE', ResourceRecordSet: place.simple },
      ...SIDES.map((side): Change => ({ Action: 'CREATE', ResourceRecordSet: siblings[side] })),
    ]
  return sides.map((side) => ({
    Action: place.absent.includes(side) ? 'CREATE' : 'UPSERT',
    ResourceRecordSet: siblings[side],
  }))
}
