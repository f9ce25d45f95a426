import { isMissing } from '../core/observation.ts'
import type { ScaleTask } from '../core/task.ts'
import type { ClusterWorkload } from '../ports/cluster.ts'
import { failed, passed, type RunAttempt, trouble } from './attempt.ts'

/**
 * Sets replicas: never to fewer than there are, unless that is meant. It has passed once they are asked for; whether they
 * become ready is seen with the replicas.
 */
export const runScale: RunAttempt<ScaleTask> = async ({ request, spec, signal }, { clustersOf }) => {
  const cluster = clustersOf(request.about.migration)?.[spec.cluster] ?? null
  if (cluster === null) return failed(`no access to the API server of ${spec.cluster} is configured (\`kubernetes:\`)`)
  const { object, replicas } = spec
  const name = `${object.kind} ${object.namespace}/${object.name} in ${spec.cluster}`
  const found = await cluster.workload(object, signal)
  if (found === null) return failed(`there is no ${name}`)
  if (isMissing(found)) return trouble(`${name}: ${found.detail}`)
  const { wantedReplicas } = found
  if (spec.isDown ? wantedReplicas <= replicas : wantedReplicas >= replicas)
    return passed(`${name} has ${wantedReplicas} replicas already`)
  const bounds = boundsInTheWay(found, spec)
  if (bounds !== null) return failed(`${name}: ${bounds}`)
  const failure = await cluster.scale(object, replicas, signal)
  return failure === null
    ? passed(`${name}: ${wantedReplicas} → ${replicas} replicas`)
    : trouble(`${name}: ${failure.detail}`)
}

/** An autoscaler would take back what is not within its bounds. */
function boundsInTheWay({ autoscaler }: ClusterWorkload, { isDown, replicas }: ScaleTask): string | null {
  if (autoscaler === null) return null
  const { name, minReplicas, maxReplicas } = autoscaler
  if (isDown && replicas > 0 && replicas < minReplicas)
    return `its autoscaler ${name} keeps at least ${minReplicas}, so ${replicas} would not last; lower minReplicas`
  if (!isDown && replicas > maxReplicas)
    return `its autoscaler ${name} allows at most ${maxReplicas} replicas, and ${replicas} are needed; raise maxReplicas`
  return null
}
