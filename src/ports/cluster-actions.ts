import type { CheckId } from '../core/check.ts'
import type { ObjectRef, Plan, Side } from '../core/plan.ts'
import type { ClusterAction } from './cluster.ts'

/** Checks that look at the workload's object and at what belongs to it. */
const LOOKING: readonly CheckId[] = ['objects', 'parity', 'apis', 'disruption', 'stateful']

/**
 * The least that Headgate must be allowed to do in one cluster for a plan: counting replicas, the checks that the plan
 * wants, scaling and Jobs only where it may do them. Each once, in a fixed order.
 */
export function actionsOf(plan: Plan, side: Side): readonly ClusterAction[] {
  const ref = plan.objects?.[side] ?? null
  const actions = [...(ref === null ? [] : objectActions(plan, side, ref)), ...jobActions(plan, side)]
  return [...new Map(actions.map((action) => [JSON.stringify(action), action])).values()]
}

/** What it should be allowed on top, to tell events on the workload's object: no rollout waits for it. */
export function tellingActionsOf({ objects }: Plan, side: Side): readonly ClusterAction[] {
  return objects === null ? [] : may(objects[side].namespace, 'events.k8s.io', 'events', 'create', 'get', 'patch')
}

function objectActions(plan: Plan, side: Side, ref: ObjectRef): ClusterAction[] {
  const { namespace } = ref
  const resource = ref.kind === 'Deployment' ? 'deployments' : 'statefulsets'
  const scales = mayScale(plan, side)
  // Whoever scales looks first: an autoscaler may be in the way.
  const looks = scales || plan.checks.some(({ id }) => LOOKING.includes(id))
  return [
    ...may(namespace, 'apps', resource, 'get', 'list', 'watch'),
    ...(looks
      ? [
          ...may(namespace, '', 'configmaps', 'get'),
          ...may(namespace, '', 'services', 'list'),
          ...may(namespace, 'autoscaling', 'horizontalpodautoscalers', 'list'),
          ...may(namespace, 'policy', 'poddisruptionbudgets', 'list'),
          ...may(namespace, 'networking.k8s.io', 'ingresses', 'list'),
        ]
      : []),
    ...(scales ? may(namespace, 'apps', `${resource}/scale`, 'patch') : []),
  ]
}

function mayScale({ capacity }: Plan, side: Side): boolean {
  if (capacity === null) return false
  return capacity.scale === 'up' || (side === 'old' && capacity.oldAfterwards !== null)
}

function jobActions({ hooks }: Plan, side: Side): ClusterAction[] {
  return hooks.flatMap(({ task }) =>
    task.kind === 'job' && task.cluster === side
      ? [...may(task.namespace, 'batch', 'cronjobs', 'get'), ...may(task.namespace, 'batch', 'jobs', 'get', 'create')]
      : [],
  )
}

function may(namespace: string, group: string, resource: string, ...verbs: readonly string[]): ClusterAction[] {
  return verbs.map((verb) => ({ verb, group, resource, namespace }))
}
