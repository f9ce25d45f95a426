import type { ObjectRef, Plan, Side, Sides } from '../core/plan.ts'
import type { ClusterAction } from '../ports/cluster.ts'

/** What a plan needs to be allowed in each cluster, as RBAC says it. */
export function actionsOf(plan: Plan): Sides<readonly ClusterAction[]> {
  return { old: actionsIn(plan, 'old'), new: actionsIn(plan, 'new') }
}

function actionsIn({ objects, capacity, hooks }: Plan, side: Side): readonly ClusterAction[] {
  const jobs = hooks.flatMap(({ task }) => (task.kind === 'job' && task.cluster === side ? [task.namespace] : []))
  const scales = capacity?.scale === 'up' || (side === 'old' && capacity?.oldAfterwards != null)
  return [
    ...(objects === null ? [] : lookingAt(objects[side])),
    ...(objects === null || !scales ? [] : [scaling(objects[side])]),
    ...[...new Set(jobs)].flatMap(running),
  ]
}

function lookingAt({ kind, namespace }: ObjectRef): readonly ClusterAction[] {
  const apps = kind === 'Deployment' ? 'deployments' : 'statefulsets'
  const right = (verb: string, group: string, resource: string) => ({ verb, group, resource, namespace })
  return [
    // Replicas are watched, the rest is asked for.
    ...['get', 'list', 'watch'].map((verb) => right(verb, 'apps', apps)),
    right('get', '', 'configmaps'),
    right('list', 'autoscaling', 'horizontalpodautoscalers'),
    right('list', 'policy', 'poddisruptionbudgets'),
    right('list', '', 'services'),
    right('list', 'networking.k8s.io', 'ingresses'),
  ]
}

function scaling({ kind, namespace }: ObjectRef): ClusterAction {
  const resource = kind === 'Deployment' ? 'deployments/scale' : 'statefulsets/scale'
  return { verb: 'patch', group: 'apps', resource, namespace }
}

function running(namespace: string): readonly ClusterAction[] {
  return [
    { verb: 'get', group: 'batch', resource: 'cronjobs', namespace },
    { verb: 'create', group: 'batch', resource: 'jobs', namespace },
    { verb: 'get', group: 'batch', resource: 'jobs', namespace },
  ]
}
