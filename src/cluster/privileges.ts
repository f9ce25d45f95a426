import type { Plan, Side } from '../core/plan.ts'
import type { MigrationConfig } from '../policy/config.ts'
import type { ClusterAction } from '../ports/cluster.ts'
import { actionsOf, tellingActionsOf } from '../ports/cluster-actions.ts'
import type { Privilege } from '../ports/kind.ts'
import { type RoleRule, rolePair } from '../shared/kubernetes/rbac.ts'

/** What Headgate does in one cluster for a migration. */
export interface ClusterNeeds {
  /** Without one of these a rollout would not get on. */
  readonly needed: readonly ClusterAction[]
  /** Without one of these it is told less. */
  readonly telling: readonly ClusterAction[]
}

/** All that these plans need in one cluster, each once. */
export function needsOf(plans: readonly Plan[], side: Side): ClusterNeeds {
  return {
    needed: once(plans.flatMap((plan) => actionsOf(plan, side))),
    telling: once(plans.flatMap((plan) => tellingActionsOf(plan, side))),
  }
}

/**
 * A Role and its binding for each namespace in each cluster. What discovery, the clock and the questions about permissions
 * need, every authenticated user has.
 */
export function clusterPrivileges({ kubernetes, clusters, plans }: MigrationConfig): readonly Privilege[] {
  if (kubernetes === null) return []
  return (['old', 'new'] as const).flatMap((side) => {
    const { needed, telling } = needsOf(plans, side)
    const byNamespace = Map.groupBy([...needed, ...telling], ({ namespace }) => namespace)
    return [...byNamespace].flatMap(([namespace, actions]) =>
      rolePair('headgate', namespace, `${clusters[side]} (${side})`, rulesFor(actions)),
    )
  })
}

function rulesFor(actions: readonly ClusterAction[]): readonly RoleRule[] {
  const byResource = Map.groupBy(actions, ({ group, resource }) => JSON.stringify([group, resource]))
  return [...byResource.values()].flatMap((members) =>
    members.slice(0, 1).map(({ group, resource }) => ({
      apiGroups: [group],
      resources: [resource],
      verbs: [...new Set(members.map(({ verb }) => verb))],
    })),
  )
}

function once(actions: readonly ClusterAction[]): readonly ClusterAction[] {
  return [...new Map(actions.map((action) => [JSON.stringify(action), action])).values()]
}
