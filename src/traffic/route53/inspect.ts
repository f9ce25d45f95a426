import { Problem, problem } from '../../core/problem.ts'
import type { TrafficFinding } from '../../ports/traffic.ts'
import { AwsFailure } from '../aws-call.ts'
import { ownershipNames } from '../external-dns.ts'
import { unknownTarget } from '../failure.ts'
import type { Calling, ZoneApi } from './api.ts'
import { type Found, findRecords } from './find.ts'
import { type Owners, otherWriterOf, ownersIn } from './owners.ts'
import { ALIAS_TTL_SECONDS, type Place, placeIn, readingOf } from './place.ts'
import { failoverClash } from './plan.ts'
import type { Route53Settings } from './settings.ts'

/** The types of record that external-dns leaves word about, so that it may own a target of any type. */
const OWNED_TYPES = ['A', 'AAAA', 'CNAME'] as const

/** Looks for what would go wrong with these targets. Nothing is written; never rejects. */
export async function inspectTargets(
  api: ZoneApi,
  settingsById: ReadonlyMap<string, Route53Settings>,
  targetIds: readonly string[],
  signal: AbortSignal,
): Promise<readonly TrafficFinding[]> {
  const calling: Calling = { use: 'read', signal }
  const settings = targetIds.flatMap((id) => settingsById.get(id) ?? [])
  const names = settings.flatMap(({ record }) => ownershipNames(record, OWNED_TYPES))
  const found = await findRecords(api, names, calling)
  const owners = ownersIn(found)
  const healthChecks = await missingHealthChecks(api, settings, calling)
  return targetIds.flatMap((targetId): readonly TrafficFinding[] => {
    const own = settingsById.get(targetId)
    if (!own) return [{ targetId, level: 'fail', problem: unknownTarget(targetId).toJSON() }]
    const faults = faultsOf(own, found)
    const health = healthChecks.get(own.failover?.healthCheck ?? '')
    return [
      ...[...faults, ...(health ? [health] : [])].map((why) => ({
        targetId,
        level: 'fail' as const,
        problem: why.toJSON(),
      })),
      ...doubtsOf(own, found, owners).map((why) => ({ targetId, level: 'warn' as const, problem: why.toJSON() })),
    ]
  })
}

function faultsOf(settings: Route53Settings, found: Found): readonly Problem[] {
  const place = placeOf(settings, found)
  if (place instanceof Problem) return [place]
  const { old, new: fresh } = place.siblings
  const reading = readingOf(settings, place)
  const clash = failoverClash(settings, place)
  return [
    ...(reading.kind === 'missing' ? [problem('TRAFFIC_REFUSED', reading.detail, { hint: 'see the cause' })] : []),
    ...(clash ? [clash] : []),
    ...(old.TTL !== undefined && fresh.TTL !== undefined && old.TTL !== fresh.TTL
      ? [
          problem(
            'TRAFFIC_UNEQUAL',
            `the records of ${settings.record} have the TTLs ${old.TTL} s and ${fresh.TTL} s; Route 53 wants equal ones`,
          ),
        ]
      : []),
  ]
}

function doubtsOf(settings: Route53Settings, found: Found, owners: Owners): readonly Problem[] {
  const place = placeOf(settings, found)
  if (place instanceof Problem) return []
  const { record, movingTtlSeconds } = settings
  const otherWriter = otherWriterOf(settings, owners)
  const hasAlias = [place.siblings.old, place.siblings.new].some(({ AliasTarget }) => AliasTarget !== undefined)
  return [
    ...(otherWriter === null ? [] : [problem('TRAFFIC_OTHER_WRITER', otherWriter)]),
    ...(hasAlias && movingTtlSeconds !== null && movingTtlSeconds < ALIAS_TTL_SECONDS
      ? [
          problem(
            'TRAFFIC_WRONG_TYPE',
            `${record} is an alias: its TTL, ${ALIAS_TTL_SECONDS} s for a load balancer, cannot be lowered to ${movingTtlSeconds} s`,
            { hint: 'say `ttl: keep`: then it is waited out after each step' },
          ),
        ]
      : []),
  ]
}

function placeOf(settings: Route53Settings, { byName }: Found): Place | Problem {
  const sets = byName.get(settings.record) ?? []
  return sets instanceof Problem ? sets : placeIn(settings, sets)
}

/** By id: why a health check that `failover` names cannot be used. */
async function missingHealthChecks(
  api: ZoneApi,
  settings: readonly Route53Settings[],
  calling: Calling,
): Promise<ReadonlyMap<string, Problem>> {
  const wrong = new Map<string, Problem>()
  for (const id of new Set(settings.flatMap(({ failover }) => failover?.healthCheck ?? []))) {
    const answer = await api.healthCheck(id, calling)
    if (!(answer instanceof AwsFailure)) continue
    wrong.set(
      id,
      answer.name === 'NoSuchHealthCheck'
        ? problem('TRAFFIC_NOT_FOUND', `there is no health check ${id}, which \`failover\` names`)
        : answer.problem,
    )
  }
  return wrong
}
