import type { CheckId } from '../core/check.ts'
import type { ObjectRef, Plan, Side } from '../core/plan.ts'
import type { ClusterAction } from './cluster.ts'

/** Checks that look at the workload's object and at what belongs to it. */
const LOOKING: readonly CheckId[] = ['objects', 'parity', 'apis', 'disruption', 'stateful']

/**
 * The least that Headgate must be allowed to do in one cluster for a plan: counting replicas, the checks that the plan
 * wants, scaling and Jobs only where it may do them, and telling what happens. Each once, in a fixed order.
 */
export function actionsOf(plan: Plan, side: Side): readonly ClusterAction[] {
  const ref = plan.objects?.[side] ?? null
  const actions = [...(ref === null ? [] : objectActions(plan, side, ref)), ...jobActions(plan, side)]
  return [...new Map(actions.map((action) => [JSON.stringify(action), action])).values()]
}

/** The resource of an object's kind. */
export function resourceOf({ kind }: ObjectRef): 'deployments' | 'statefulsets' {
  return kind === 'Deployment' ? 'deployments' : 'statefulsets'
}

function objectActions(plan: Plan, side: Side, ref: ObjectRef): ClusterAction[] {
  const { namespace } = ref
  const may = (group: string, resource: string, ...verbs: readonly string[]) =>
    verbs.map((verb): ClusterAction => ({ verb, group, resource, namespace }))
  const looks = plan.checks.some(({ id }) => LOOKING.includes(id))
  return [
    ...may('apps', resourceOf(ref), 'get', 'list', 'watch'),
    ...(looks
      ? [
          ...may('', 'configmaps', 'get'),
          ...may('', 'services', 'list'),
          ...may('autoscaling', 'horizontalpodautoscalers', 'list'),
          ...may('policy', 'poddisruptionbudgets', 'list'),
          ...may('networking.k8s.io', 'ingresses', 'list'),
        ]
      : []),
    ...(mayScale(plan, side) ? may('apps', `${resourceOf(ref)}/scale`, 'patch') : []),
    ...may('events.k8s.io', 'events', 'create', 'get', 'patch'),
  ]
}

function mayScale({ capacity }: Plan, side: Side): boolean {
  if (capacity === null) return false
  return capacity.scale === 'up' || (side === 'old' && capacity.oldAfterwards !== null)
}

function jobActions({ hooks }: Plan, side: Side): ClusterAction[] {
  return hooks.flatMap(({ task }): ClusterAction[] => {
    if (task.kind !== 'job' || task.cluster !== side) return []
    const { namespace } = task
    return [
      { verb: 'get', group: 'batch', resource: 'cronjobs', namespace },
      { verb: 'get', group: 'batch', resource: 'jobs', namespace },
      { verb: 'create', group: 'batch', resource: 'jobs', namespace },
    ]
  })
}
