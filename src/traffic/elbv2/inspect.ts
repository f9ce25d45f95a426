import type { TargetGroup } from '@aws-sdk/client-elastic-load-balancing-v2'
import type { Side, Sides } from '../../core/plan.ts'
import { Problem, problem } from '../../core/problem.ts'
import type { TrafficFinding } from '../../ports/traffic.ts'
import { formatSeconds } from '../../shared/schema.ts'
import { sharePercent } from '../ratio.ts'
import type { Caller, ElbApi } from './api.ts'
import type { Forward } from './forward.ts'
import { healthOf } from './health.ts'
import { ownerOf } from './owner.ts'
import { type ElbPlace, groupOf } from './place.ts'

/** A finding, before it is said of which target. */
export interface Found {
  readonly level: TrafficFinding['level']
  readonly why: Problem
}

/** What would go wrong at this place, by seven calls at most, all of which read. */
export async function inspectPlace(
  api: ElbApi,
  place: ElbPlace,
  names: Sides<string>,
  look: () => Promise<Forward | Problem>,
  caller: Caller,
): Promise<readonly Found[]> {
  const forward = await look()
  if (forward instanceof Problem) return [{ level: 'fail', why: forward }]
  return [
    ...weightsFound(place, forward),
    ...stickinessFound(place, forward),
    ...(await groupFound(api, place, 'old', names.old, caller)),
    ...(await groupFound(api, place, 'new', names.new, caller)),
    ...(await ownerFound(api, place, caller)),
  ]
}

function weightsFound(place: ElbPlace, { weights }: Forward): readonly Found[] {
  if (sharePercent(weights) !== null) return []
  const why = problem('TRAFFIC_REFUSED', `both target groups of ${place.arn} have weight 0: there is no share`, {
    hint: 'give the old one a weight',
  })
  return [{ level: 'fail', why }]
}

function stickinessFound(place: ElbPlace, { stickySeconds }: Forward): readonly Found[] {
  if (stickySeconds === null) return []
  const howLong = stickySeconds === 0 ? '' : ` for ${formatSeconds(stickySeconds)}`
  const why = problem('TRAFFIC_STICKY', `${place.arn} keeps each client at its target group${howLong}`, {
    hint: 'the observed share follows a weight that much later, a revert too: shorten it, or turn it off while traffic moves',
  })
  return [{ level: 'warn', why }]
}

async function groupFound(
  api: ElbApi,
  place: ElbPlace,
  side: Side,
  arnOrName: string,
  caller: Caller,
): Promise<readonly Found[]> {
  const wanted = groupOf(arnOrName) ? { TargetGroupArns: [arnOrName] } : { Names: [arnOrName] }
  const groups = await api.groups(wanted, caller)
  if (groups instanceof Problem) return [{ level: 'fail', why: groups }]
  const [group] = groups
  if (group?.TargetGroupArn === undefined)
    return [{ level: 'fail', why: problem('TRAFFIC_NOT_FOUND', `there is no target group ${arnOrName}`) }]
  return [...elsewhereFound(place, group), ...(await healthFound(api, side, group.TargetGroupArn, caller))]
}

/** A target group has one load balancer at a time: AWS would refuse the first step. */
function elsewhereFound(place: ElbPlace, { TargetGroupArn, LoadBalancerArns = [] }: TargetGroup): readonly Found[] {
  const others = LoadBalancerArns.filter((arn) => arn !== place.loadBalancerArn)
  if (others.length === 0) return []
  const why = problem(
    'TRAFFIC_WRONG_TYPE',
    `${TargetGroupArn} belongs to another load balancer: ${others.join(', ')}`,
    {
      hint: 'make a target group of its own for this load balancer',
    },
  )
  return [{ level: 'fail', why }]
}

async function healthFound(api: ElbApi, side: Side, groupArn: string, caller: Caller): Promise<readonly Found[]> {
  const targets = await api.targets(groupArn, caller)
  if (targets instanceof Problem) return [{ level: 'fail', why: targets }]
  const { healthy, isUnchecked } = healthOf(targets)
  if (healthy > 0) return []
  if (isUnchecked) {
    const cause = `no listener uses ${groupArn}, so that nobody checks the health of its ${targets.length} targets`
    const hint = 'add it to the forward action with weight 0: then its targets are checked before the first step'
    return [{ level: 'warn', why: problem('TRAFFIC_UNHEALTHY', cause, { hint }) }]
  }
  const cause = `${groupArn} has ${targets.length === 0 ? 'no targets' : `no healthy target among ${targets.length}`}`
  return [{ level: side === 'new' ? 'fail' : 'warn', why: problem('TRAFFIC_UNHEALTHY', cause) }]
}

async function ownerFound(api: ElbApi, place: ElbPlace, caller: Caller): Promise<readonly Found[]> {
  const tags = await api.tags([...new Set([place.arn, place.listenerArn, place.loadBalancerArn])], caller)
  if (tags instanceof Problem) return [{ level: 'warn', why: tags }]
  const owner = ownerOf(tags)
  return owner === null ? [] : [{ level: 'warn', why: problem('TRAFFIC_OTHER_WRITER', owner) }]
}
