import type { Sides } from '../core/plan.ts'
import type { Cluster } from '../ports/cluster.ts'
import type { Clock } from '../ports/runtime.ts'
import type { KubernetesPlace } from '../shared/kubernetes/config.ts'
import { createCluster } from './cluster.ts'

/** Both clusters' API servers. Nothing is asked before somebody asks. */
export function openClusters(places: Sides<KubernetesPlace>, context: { readonly clock: Clock }): Sides<Cluster> {
  return { old: createCluster(places.old, context), new: createCluster(places.new, context) }
}
