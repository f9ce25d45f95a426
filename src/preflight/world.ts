import { type Missing, missing, type SliReading, type TargetReading } from '../core/observation.ts'
import type { ObjectRef, Plan, ProbeSpec, Side, SliSpec } from '../core/plan.ts'
import type { Cluster, ClusterAction, ClustersOf, ClusterWorkload, DisruptionBudget } from '../ports/cluster.ts'
import type { Clock, Log } from '../ports/runtime.ts'
import type { CertificateReader, MetricSource, Prober, ServedCertificate } from '../ports/source.ts'
import { byDeadline } from '../shared/deadline.ts'
import type { BudgetMemory, Spent } from './budget-memory.ts'
import { createGate } from './gate.ts'
import { askValues, type Values } from './values.ts'

/** Questions under way at once, over all workloads. */
const AT_ONCE = 16

/** Whom checks ask. */
export interface CheckPorts {
  readonly clustersOf: ClustersOf
  /** By kind. */
  readonly sources: ReadonlyMap<string, MetricSource>
  /** Kind of the source that answers PromQL; null: there is none. */
  readonly promql: string | null
  readonly prober: Prober
  readonly certificates: CertificateReader
  /** The newest reading of an SLI. No I/O. */
  readonly sli: (plan: Plan, spec: SliSpec) => SliReading
  /** The newest reading of a target; undefined: it was not read yet. No I/O. */
  readonly target: (id: string) => TargetReading | undefined
  readonly budget: BudgetMemory
  readonly clock: Clock
  readonly log: Log
}

/** The world of each migration. */
export type Worlds = (migration: string) => World

/**
 * What one look may ask. Each thing is asked once, however many workloads want to know it; nothing rejects, and what is
 * late is `missing`.
 */
export interface World {
  readonly hasClusters: boolean
  readonly hasPromql: boolean
  workload(side: Side, ref: ObjectRef): Promise<ClusterWorkload | Missing | null>
  servedKinds(side: Side): Promise<ReadonlySet<string> | Missing>
  disruptionBudgets(side: Side, namespace: string): Promise<readonly DisruptionBudget[] | Missing>
  mayDo(side: Side, action: ClusterAction): Promise<boolean | Missing>
  clusterAheadMs(side: Side): Promise<number | Missing>
  /** By kind of source: those that have a clock. */
  sourcesAheadMs(): Promise<Readonly<Record<string, number | Missing>>>
  probe(spec: ProbeSpec): ReturnType<Prober['probe']>
  certificate(spec: ProbeSpec): Promise<ServedCertificate | Missing | null>
  /** PromQL with one sample a group, see `askValues`. */
  values(query: string, labels: SliSpec['labels']): Promise<Values | Missing>
  /** What the source remembers of an SLI; null: it has no memory. */
  spent(spec: SliSpec): Promise<Spent | Missing | null>
  sli(plan: Plan, spec: SliSpec): SliReading
  target(id: string): TargetReading | undefined
}

const NO_CLUSTER = missing('refused', 'access to Kubernetes is not configured')

/** Opens the worlds of one look, which ends with the signal. */
export function createWorlds(ports: CheckPorts, signal: AbortSignal): Worlds {
  const { clustersOf, sources, promql, prober, certificates, clock, budget } = ports
  const asked = new Map<string, Promise<unknown>>()
  const gate = createGate(AT_ONCE)
  const late = () => missing('timeout', 'no time was left in this sweep')
  const once = <T>(key: readonly unknown[], ask: () => Promise<T>): Promise<T | Missing> => {
    const name = JSON.stringify(key)
    // A key says what is asked, and so what type the answer has.
    const known = asked.get(name) as Promise<T | Missing> | undefined
    if (known) return known
    const answer = byDeadline<T | Missing>(
      gate(async () => (signal.aborted ? late() : ask())),
      signal,
      late,
    )
    asked.set(name, answer)
    return answer
  }
  const shared = {
    hasPromql: promql !== null,
    sourcesAheadMs: async () => {
      const clocks = [...sources].flatMap(([kind, source]) =>
        source.clockAheadMs ? [[kind, once(['source', kind], async () => source.clockAheadMs?.(signal))] as const] : [],
      )
      const read = clocks.map(async ([kind, ahead]) => [kind, (await ahead) ?? late()] as const)
      return Object.fromEntries(await Promise.all(read))
    },
    probe: (spec) => once(['probe', spec], () => prober.probe(spec, 'new', signal)),
    certificate: ({ url, address, ...spec }) => {
      const { host, protocol } = new URL(url)
      const key = ['certificate', protocol, host, address.new]
      return once(key, () => certificates.read({ ...spec, url, address }, 'new', signal))
    },
    values: (query, labels) =>
      once(['values', query, labels], () => askValues({ sources, promql, clock }, { query, labels }, signal)),
    // Not through the gate: a month may take longer than this look, and must not keep the rest of it waiting.
    spent: (spec) => byDeadline<Spent | Missing | null>(budget.spent(spec), signal, late),
    sli: ports.sli,
    target: ports.target,
  } satisfies Partial<World>
  return (migration) => {
    const clusters = clustersOf(migration)
    const ofCluster = <T>(side: Side, key: readonly unknown[], ask: (cluster: Cluster) => Promise<T>) =>
      clusters ? once([migration, side, ...key], () => ask(clusters[side])) : Promise.resolve(NO_CLUSTER)
    return {
      ...shared,
      hasClusters: clusters !== null,
      workload: (side, ref) => ofCluster(side, ['workload', ref], (cluster) => cluster.workload(ref, signal)),
      servedKinds: (side) => ofCluster(side, ['kinds'], (cluster) => cluster.servedKinds(signal)),
      disruptionBudgets: (side, namespace) =>
        ofCluster(side, ['budgets', namespace], (cluster) => cluster.disruptionBudgets(namespace, signal)),
      mayDo: (side, action) =>
        ofCluster(side, ['may', action], async (cluster) => {
          const [answer = missing('bad-answer', 'no answer to what was asked')] = await cluster.mayDo([action], signal)
          return answer
        }),
      clusterAheadMs: (side) => ofCluster(side, ['clock'], (cluster) => cluster.clockAheadMs(signal)),
    }
  }
}
