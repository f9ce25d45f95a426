import type { TargetHealthDescription } from '@aws-sdk/client-elastic-load-balancing-v2'

/** How many targets of a group could take traffic. */
export interface GroupHealth {
  /** In the group and not leaving it, healthy or not. A load balancer sends to all of them when none is healthy. */
  readonly takers: number
  /** Of these, those that are healthy, or whose health nobody checks. */
  readonly healthy: number
  /** No listener uses the group yet, so that nobody checks its targets. */
  readonly isUnchecked: boolean
}

/** Targets in these states get no new request or connection. */
const LEAVING: ReadonlySet<string> = new Set(['draining', 'unhealthy.draining', 'unused'])

/** What DescribeTargetHealth says of a group. */
export function healthOf(targets: readonly TargetHealthDescription[]): GroupHealth {
  const states = targets.map(({ TargetHealth }) => TargetHealth?.State ?? 'unhealthy')
  return {
    takers: states.filter((state) => !LEAVING.has(state)).length,
    healthy: states.filter((state) => state === 'healthy' || state === 'unavailable').length,
    isUnchecked: targets.some(({ TargetHealth }) => TargetHealth?.Reason === 'Target.NotInUse'),
  }
}
