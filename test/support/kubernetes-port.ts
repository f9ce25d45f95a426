import { type Missing, missing } from '../../src/core/observation.ts'
import type { ObjectRef } from '../../src/core/plan.ts'
import type { Cluster, ClusterNote } from '../../src/ports/cluster.ts'

const unasked = async (): Promise<Missing> => missing('refused', 'the test did not expect this')

/** A cluster of which a test says what it answers; what it says nothing of is missing. */
export function clusterOf(answers: Partial<Cluster> = {}): Cluster & { readonly told: readonly string[] } {
  const told: string[] = []
  return {
    told,
    workload: unasked,
    servedKinds: unasked,
    disruptionBudgets: unasked,
    mayDo: (actions) => Promise.all(actions.map(unasked)),
    clockAheadMs: unasked,
    scale: unasked,
    job: unasked,
    async tell({ kind, namespace, name }: ObjectRef, { reason, type, message }: ClusterNote) {
      told.push(`${kind} ${namespace}/${name} ${type} ${reason}: ${message}`)
      return null
    },
    close: async () => {},
    ...answers,
  }
}
