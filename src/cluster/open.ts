import type { Sides } from '../core/plan.ts'
import type { MigrationConfig } from '../policy/config.ts'
import type { Cluster, ClustersOf } from '../ports/cluster.ts'
import type { ReplicaWatch } from '../ports/sight.ts'
import type { KubernetesPlace } from '../shared/kubernetes/config.ts'
import { createCluster } from './cluster.ts'
import { Replicas } from './replicas.ts'
import type { ObjectWatchDeps } from './watch.ts'

/** The API servers of all migrations. */
export interface OpenClusters {
  readonly of: ClustersOf
  readonly replicas: ReplicaWatch
  close(): Promise<void>
}

/**
 * The API servers that a config names, each opened when somebody first wants it: where none is configured, no library of
 * Kubernetes is loaded. `migrations` is the config in force; one that it has no more keeps its access, for the rollouts
 * that are still under way.
 */
export function openClusters(
  migrations: () => readonly Pick<MigrationConfig, 'migration' | 'kubernetes'>[],
  deps: ObjectWatchDeps,
): OpenClusters {
  const known = new Map<string, Sides<KubernetesPlace>>()
  const opened = new Map<string, Sides<Cluster>>()
  const placesOf = (name: string) => {
    const found = migrations().find(({ migration }) => migration === name)
    if (found === undefined) return known.get(name) ?? null
    if (found.kubernetes !== null) known.set(name, found.kubernetes)
    return found.kubernetes
  }
  const replicas = new Replicas(placesOf, deps)
  return {
    of(migration) {
      const places = placesOf(migration)
      if (places === null) return null
      const clusters = opened.get(JSON.stringify(places)) ?? {
        old: createCluster(places.old, deps),
        new: createCluster(places.new, deps),
      }
      opened.set(JSON.stringify(places), clusters)
      return clusters
    },
    replicas,
    async close() {
      await replicas.close()
      await Promise.all([...opened.values()].flatMap((sides) => [sides.old.close(), sides.new.close()]))
    },
  }
}
