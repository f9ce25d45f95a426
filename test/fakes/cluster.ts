import type { Missing } from '../../src/core/observation.ts'
import type { Sides } from '../../src/core/plan.ts'
import type { Cluster, ClusterAction, ClusterWorkload, DisruptionBudget } from '../../src/ports/cluster.ts'

/** What a fake cluster tells; a test changes it at any time. */
export interface FakeCluster extends Cluster {
  /** By namespace and name; left out: not there. */
  readonly workloads: Map<string, ClusterWorkload | Missing>
  budgets: readonly DisruptionBudget[] | Missing
  kinds: readonly string[] | Missing
  refused: (action: ClusterAction) => boolean
  aheadMs: number | Missing
  /** Names of the methods that were called, oldest first. */
  readonly calls: string[]
}

export const READY: ClusterWorkload = {
  ref: { kind: 'Deployment', namespace: 'shop', name: 'checkout' },
  wantedReplicas: 3,
  readyReplicas: 3,
  updatedReplicas: 3,
  isObserved: true,
  autoscaler: null,
  containers: [{ name: 'app', image: 'registry.example.com/shop/checkout:1.4' }],
  configs: [{ name: 'settings', digest: 'aa' }],
  claims: [],
  podLabels: { app: 'checkout' },
  kinds: ['apps/v1/Deployment'],
}

/** A cluster in which all is well: one that only looks, for whoever asks it to write has no business here. */
export function createFakeCluster(): FakeCluster {
  const calls: string[] = []
  const told = <T>(name: string, answer: () => T) => {
    calls.push(name)
    return Promise.resolve(answer())
  }
  const writes = () => Promise.reject(new Error('a check must not write'))
  const fake: FakeCluster = {
    workloads: new Map([['shop/checkout', READY]]),
    budgets: [],
    kinds: ['apps/v1/Deployment'],
    refused: () => false,
    aheadMs: 0,
    calls,
    workload: ({ namespace, name }) => told('workload', () => fake.workloads.get(`${namespace}/${name}`) ?? null),
    servedKinds: () => told('servedKinds', () => ('kind' in fake.kinds ? fake.kinds : new Set(fake.kinds))),
    disruptionBudgets: () => told('disruptionBudgets', () => fake.budgets),
    mayDo: (actions) => told('mayDo', () => actions.map((action) => !fake.refused(action))),
    clockAheadMs: () => told('clockAheadMs', () => fake.aheadMs),
    scale: writes,
    job: writes,
    tell: writes,
    close: () => told('close', () => undefined),
  }
  return fake
}

export function createFakeClusters(): Sides<FakeCluster> {
  return { old: createFakeCluster(), new: createFakeCluster() }
}
