import type { FleetPlan, Signal } from '../core/fleet-plan.ts'
import { badSince, type Serving, type SignalReading } from '../core/gates/signals.ts'
import { type Missing, missing } from '../core/observation.ts'
import type { SliSpec } from '../core/plan.ts'
import { SIGNAL_WINDOW_SECONDS } from '../policy/signals.ts'
import { groupKey, type Measure, type MetricSource, type SliVector } from '../ports/source.ts'
import { tracedPoll, type WatchDeps } from './traced-poll.ts'

/** One signal of one migration. */
interface Watched {
  readonly signal: Signal
  readonly spec: SliSpec
  reading: SignalReading | null
  isTroubled: boolean
}

/** Keeps the newest reading of every signal, by migration: what is late or fails is missing, never as it was before. */
export class SignalWatch {
  private readonly watched = new Map<string, ReadonlyMap<string, Watched>>()
  private readonly sources: ReadonlyMap<string, MetricSource>
  private readonly sweepSeconds: number
  private readonly deps: WatchDeps
  private polledMs = 0

  constructor(sources: ReadonlyMap<string, MetricSource>, sweepSeconds: number, deps: SignalWatch['deps']) {
    this.sources = sources
    this.sweepSeconds = sweepSeconds
    this.deps = deps
  }

  /** Watches the signals of these migrations, and no others. What is known of a signal that stays as it is, is kept. */
  watch(plans: readonly FleetPlan[]): void {
    for (const name of this.watched.keys())
      if (!plans.some(({ migration }) => migration === name)) this.watched.delete(name)
    for (const { migration, signals, signalSource } of plans) {
      const before = this.watched.get(migration)
      const entries = signals.map((signal): [string, Watched] => {
        const spec = specOf(signal, signalSource)
        const known = before?.get(signal.id)
        const isSame = known && JSON.stringify([known.signal, known.spec]) === JSON.stringify([signal, spec])
        return [signal.id, isSame ? known : { signal, spec, reading: null, isTroubled: false }]
      })
      this.watched.set(migration, new Map(entries))
    }
  }

  /** Reads all signals as of `atMs`. `servingOf` tells by migration who serves its users. */
  async poll(
    atMs: number,
    plans: readonly FleetPlan[],
    servingOf: (plan: FleetPlan) => Serving,
    signal: AbortSignal,
  ): Promise<void> {
    this.watch(plans)
    // Two sweeps within one tick have nothing new to ask; a clock that went back asks anew.
    if (this.polledMs === atMs) return
    this.polledMs = atMs
    const entries = plans.flatMap((plan) => [...(this.watched.get(plan.migration)?.values() ?? [])])
    const bySource = Map.groupBy(entries, ({ spec }) => spec.source)
    const vectors = new Map<SliSpec, SliVector>()
    await Promise.all(
      [...bySource].map(async ([source, batch]) => {
        const specs = batch.map(({ spec }) => spec)
        for (const [spec, vector] of await this.ask(source, specs, atMs, signal)) vectors.set(spec, vector)
      }),
    )
    for (const plan of plans) {
      const serving = servingOf(plan)
      for (const entry of this.watched.get(plan.migration)?.values() ?? [])
        this.takeIn(entry, vectors.get(entry.spec) ?? missing('bad-answer', 'the source gave no answer'), plan, {
          atMs,
          serving,
        })
    }
  }

  /** The newest readings of a migration's signals; none of one that was not read yet. */
  readings(migration: string): readonly SignalReading[] {
    return [...(this.watched.get(migration)?.values() ?? [])].flatMap(({ reading }) => reading ?? [])
  }

  private async ask(
    name: string,
    specs: readonly SliSpec[],
    atMs: number,
    signal: AbortSignal,
  ): Promise<ReadonlyMap<SliSpec, SliVector>> {
    const all = (vector: Missing) => new Map<SliSpec, SliVector>(specs.map((spec) => [spec, vector]))
    const source = this.sources.get(name)
    if (!source) return all(missing('unreachable', `no source "${name}" is configured; sources change at a restart`))
    const tick = { sinceMs: atMs - this.sweepSeconds * 1000, atMs }
    const late = () => all(missing('timeout', 'the source did not answer within the sweep'))
    return tracedPoll({ name, source }, { specs, tick, signal }, late, this.deps)
  }

  private takeIn(
    entry: Watched,
    vector: SliVector,
    { clusters, migration }: FleetPlan,
    { atMs, serving }: { readonly atMs: number; readonly serving: Serving },
  ): void {
    const { signal } = entry
    const of = (cluster: string) => valueIn(vector, cluster, signal)
    const reading = { id: signal.id, atMs, value: { old: of(clusters.old), new: of(clusters.new) } }
    entry.reading = { ...reading, badSinceMs: badSince(signal, reading, entry.reading?.badSinceMs ?? null, serving) }
    const trouble = vector.kind === 'missing' ? vector : null
    // Told when it begins and when it is over, not at every sweep.
    if ((trouble !== null) === entry.isTroubled) return
    entry.isTroubled = trouble !== null
    const fields = { migration, signal: signal.id, ...(trouble && { why: trouble.why, detail: trouble.detail }) }
    this.deps.log.warn(fields, trouble ? 'a signal cannot be read' : 'a signal can be read again')
  }
}

function specOf({ id, query, clusterLabel }: Signal, source: string): SliSpec {
  return {
    name: id,
    source,
    objectivePercent: null,
    labels: { cluster: clusterLabel, workload: '' },
    measure: { kind: 'value', value: query, windowSeconds: SIGNAL_WINDOW_SECONDS },
  }
}

function valueIn(vector: SliVector, cluster: string, { clusterLabel }: Signal): number | Missing {
  if (vector.kind === 'missing') return vector
  const measure: Measure | undefined = vector.groups.get(groupKey(cluster, ''))
  if (measure === undefined) return missing('empty', `the query gives nothing with ${clusterLabel}="${cluster}"`)
  if (measure.kind === 'value') return measure.value
  return measure.kind === 'missing' ? measure : missing('bad-answer', 'counts came where a value was expected')
}
