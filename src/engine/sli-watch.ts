import {
  type Counts,
  type CountsReading,
  type Missing,
  missing,
  type SliReading,
  type ValueReading,
} from '../core/observation.ts'
import type { Plan, Sides, SliSpec } from '../core/plan.ts'
import { type AskedSli, closedMs, groupKey, type Measure, type MetricSource, type SliVector } from '../ports/source.ts'
import { byDeadline } from '../shared/deadline.ts'
import { latenciesOf } from './latencies.ts'
import { hasOwnTicks, KEPT_TICKS, OldTicks } from './old-ticks.ts'
import { Past } from './past.ts'
import { SliWindows } from './rings.ts'
import { tracedPoll, type WatchDeps } from './traced-poll.ts'
import { wantedOf } from './wanted.ts'

/** One SLI as many workloads share it. */
interface Watched {
  readonly spec: SliSpec
  /** The same, with the clusters of all who share it. */
  asked: AskedSli
  readonly windows: SliWindows
  newest: SliVector
  /** End of the newest tick that was read; null: none yet. */
  readUntilMs: number | null
  /** Where the ticks in the windows begin: what is before comes from the source's memory. null: there are none yet. */
  countedFromMs: number | null
  /** What is still to be asked of the source's memory. */
  readonly past: Past
  /** Why it could not be read, when that was told; null: it can be. */
  trouble: Missing | null
  /** As `trouble`, of its past. */
  pastTrouble: Missing | null
  /** Null where ticks are not counted each by itself. */
  readonly oldTicks: OldTicks | null
  /** How many share it. */
  readonly workloads: number
}

/** A source tells of both. */
const CLUSTERS = 2

/**
 * Keeps the newest vector, the windows and OLD's ticks of every SLI in use. Workloads with an equal spec share them, so
 * the queries of a sweep do not grow with the workloads.
 */
export class SliWatch {
  private readonly watched = new Map<string, Watched>()
  private readonly keys = new WeakMap<SliSpec, string>()
  private readonly groups = new WeakMap<Plan, Sides<string>>()
  private readonly sources: ReadonlyMap<string, MetricSource>
  private readonly sweepSeconds: number
  private readonly deps: WatchDeps

  constructor(sources: ReadonlyMap<string, MetricSource>, sweepSeconds: number, deps: SliWatch['deps']) {
    this.sources = sources
    this.sweepSeconds = sweepSeconds
    this.deps = deps
  }

  /** Watches the SLIs of these plans, and no others. What was known of those that stay is kept. */
  watch(plans: Iterable<Plan>): void {
    const wanted = wantedOf(plans, (spec) => this.keyOf(spec))
    for (const key of this.watched.keys()) if (!wanted.has(key)) this.watched.delete(key)
    for (const [key, { spec, seconds, clusters, workloads }] of wanted) {
      const known = this.watched.get(key)
      const asked = { ...spec, clusters: [...new Set([...clusters.old, ...clusters.new])].toSorted() }
      if (known) known.asked = asked
      const oldTicks = known ? known.oldTicks : this.ticksFor(spec)
      oldTicks?.keep(clusters.old)
      if (known && [...seconds].every((s) => known.windows.seconds.includes(s))) continue
      // Other windows of an SLI that is watched already are filled anew, but its ticks go on without a gap.
      const readUntilMs = known?.readUntilMs ?? null
      this.watched.set(key, {
        ...{ spec, asked },
        windows: new SliWindows([...seconds]),
        newest: known?.newest ?? missing('no-baseline', 'not read yet'),
        readUntilMs,
        countedFromMs: readUntilMs,
        past: this.pastOf({ seconds: [...seconds], workloads, ticks: oldTicks }),
        trouble: known?.trouble ?? null,
        pastTrouble: null,
        ...{ oldTicks, workloads },
      })
    }
  }

  /** After the clock went back: what was read lies in the future, and would keep the present from being read. */
  private anew(entry: Watched): Watched {
    const { windows, workloads, oldTicks: ticks } = entry
    const newest = missing('no-baseline', 'the clock went back, and it was not read since')
    const past = this.pastOf({ seconds: windows.seconds, workloads, ticks })
    return { ...entry, windows: new SliWindows(windows.seconds), newest, readUntilMs: null, countedFromMs: null, past }
  }

  private pastOf(of: { seconds: readonly number[]; workloads: number; ticks: OldTicks | null }): Past {
    const tickSeconds = this.sweepSeconds
    const seconds = Math.max(0, ...of.seconds, of.ticks ? KEPT_TICKS * tickSeconds : 0)
    return new Past({ seconds, tickSeconds, series: CLUSTERS * of.workloads })
  }

  private ticksFor({ measure }: SliSpec): OldTicks | null {
    return hasOwnTicks(measure, this.sweepSeconds) ? new OldTicks(this.sweepSeconds * 1000) : null
  }

  /** Reads the tick that ends at `atMs` from every source; what fails or is late is `missing`. */
  async poll(atMs: number, signal: AbortSignal): Promise<void> {
    for (const [key, entry] of this.watched)
      if ((entry.readUntilMs ?? atMs) > atMs) this.watched.set(key, this.anew(entry))
    const entries = [...this.watched.values()]
    const batches = Map.groupBy(entries, ({ spec, readUntilMs }) => `${spec.source} ${readUntilMs ?? 'first'}`)
    // Side by side: a memory that is slow for ever must not keep the newest tick from being read.
    await Promise.all([
      ...entries.map((entry) => this.refill(entry, atMs, signal)),
      ...[...batches.values()].map((batch) => this.pollBatch(batch, atMs, signal)),
    ])
  }

  private async pollBatch(batch: readonly Watched[], atMs: number, signal: AbortSignal): Promise<void> {
    const [first] = batch
    const source = first && this.sources.get(first.spec.source)
    if (!first || !source) return
    const closedAtMs = closedMs(source, atMs, this.sweepSeconds)
    const sinceMs = first.readUntilMs ?? closedAtMs - this.sweepSeconds * 1000
    // Two sweeps within one tick have nothing new to ask.
    if (sinceMs >= closedAtMs) return
    const specs = batch.map(({ asked }) => asked)
    const late = (): ReadonlyMap<SliSpec, SliVector> => new Map(specs.map((spec) => [spec, tooLate()]))
    const named = { name: first.spec.source, source }
    const vectors = await tracedPoll(named, { specs, tick: { sinceMs, atMs: closedAtMs }, signal }, late, this.deps)
    for (const [index, entry] of batch.entries())
      this.takeIn(entry, vectors.get(specs[index] ?? entry.spec) ?? missing('bad-answer', 'the source gave no answer'))
  }

  private takeIn(entry: Watched, vector: SliVector): void {
    entry.newest = vector
    const isMissing = vector.kind === 'missing'
    // Told when it begins and when it is over, not at every sweep.
    if (isMissing !== (entry.trouble !== null)) {
      entry.trouble = isMissing ? vector : null
      this.tell(entry, isMissing ? 'an SLI cannot be read' : 'an SLI can be read again', entry.trouble)
    }
    // A failed tick is asked again as part of the next: nothing that was counted meanwhile is lost.
    if (vector.kind === 'missing') return
    entry.readUntilMs = vector.atMs
    entry.countedFromMs ??= vector.sinceMs
    addVector(entry.windows, vector)
    entry.oldTicks?.add(vector)
  }

  /** After a start the windows are filled from the source's own memory, a part a sweep. */
  private async refill(entry: Watched, atMs: number, signal: AbortSignal): Promise<void> {
    const source = this.sources.get(entry.spec.source)
    if (!source) return
    // What the poll counts, or is about to count, is left to it.
    const span = entry.past.next(
      entry.countedFromMs ?? entry.readUntilMs ?? closedMs(source, atMs, this.sweepSeconds) - this.sweepSeconds * 1000,
    )
    if (span === null) return
    const asked = source.history(entry.asked, span, signal)
    const vectors = await byDeadline<readonly SliVector[] | Missing>(asked, signal, tooLate)
    if ('kind' in vectors) {
      entry.past.failed(span)
      if (entry.pastTrouble === null) this.tell(entry, 'windows not refilled yet', vectors)
      entry.pastTrouble = vectors
      return
    }
    const past = vectors.filter((vector) => vector.kind === 'vector').filter(({ atMs }) => atMs <= span.untilMs)
    for (const vector of past) addVector(entry.windows, vector)
    entry.oldTicks?.prepend(past)
    if (vectors.length === 0) entry.past.giveUp()
    // Should the poll fail, the next one goes on where the memory ended.
    else entry.readUntilMs ??= span.untilMs
    entry.past.filled(span)
    if (entry.pastTrouble === null || entry.past.next(span.untilMs) !== null) return
    this.tell(entry, 'windows refilled', null)
    entry.pastTrouble = null
  }

  private tell({ spec }: Watched, message: string, trouble: Missing | null): void {
    const { name: sli, source } = spec
    const why = trouble && { why: trouble.why, detail: trouble.detail }
    this.deps.log.warn({ sli, source, ...why }, message)
  }

  /** What one workload's rollout may know of one of its SLIs now. */
  reading(plan: Plan, spec: SliSpec, judgeSinceMs: number): SliReading {
    const entry = this.watched.get(this.keyOf(spec))
    if (!entry) return missing('no-baseline', 'not read yet')
    const { newest } = entry
    if (newest.kind === 'missing') return newest
    const { sinceMs, atMs } = newest
    const groups = this.groupsOf(plan)
    const measure = {
      old: newest.groups.get(groups.old) ?? absent(spec, plan, 'old'),
      new: newest.groups.get(groups.new) ?? absent(spec, plan, 'new'),
    }
    if (spec.measure.kind === 'value' || spec.measure.kind === 'askValue') return valueReading(atMs, measure)
    const sums = {
      old: entry.windows.sums(groups.old, atMs, judgeSinceMs),
      new: entry.windows.sums(groups.new, atMs, judgeSinceMs),
    }
    const windows = entry.windows.seconds.map((seconds, index) => ({
      seconds,
      counts: {
        old: sums.old?.[index] ?? absent(spec, plan, 'old'),
        new: sums.new?.[index] ?? absent(spec, plan, 'new'),
      },
    }))
    return {
      kind: 'counts',
      sinceMs,
      atMs,
      tick: { old: asCounts(measure.old), new: asCounts(measure.new) },
      windows,
      latencies: latenciesOf(measure),
      dispersion: entry.oldTicks?.dispersion(groups.old) ?? null,
    } satisfies CountsReading
  }

  /** The names of a workload's groups: made once, since each sweep looks for ten thousand of them by several SLIs. */
  private groupsOf(plan: Plan): Sides<string> {
    let groups = this.groups.get(plan)
    if (groups === undefined) {
      const { clusters, workload } = plan
      groups = { old: groupKey(clusters.old, workload), new: groupKey(clusters.new, workload) }
      this.groups.set(plan, groups)
    }
    return groups
  }

  private keyOf(spec: SliSpec): string {
    let key = this.keys.get(spec)
    if (key === undefined) {
      key = JSON.stringify(spec)
      this.keys.set(spec, key)
    }
    return key
  }
}

function tooLate(): Missing {
  return missing('timeout', 'the source did not answer within the sweep')
}

function addVector(windows: SliWindows, vector: Extract<SliVector, { kind: 'vector' }>): void {
  const { sinceMs, atMs, groups } = vector
  for (const [group, measure] of groups)
    if (measure.kind === 'counts') windows.add(group, atMs, measure, atMs - sinceMs)
}

function absent({ labels, name }: SliSpec, plan: Plan, side: 'old' | 'new'): Missing {
  return missing(
    'empty',
    `no data for ${name} with ${labels.cluster}="${plan.clusters[side]}", ${labels.workload}="${plan.workload}"`,
  )
}

function asCounts(measure: Measure): Counts | Missing {
  if (measure.kind === 'counts') return { total: measure.total, bad: measure.bad }
  return measure.kind === 'missing' ? measure : missing('bad-answer', 'a value came where counts were expected')
}

function valueReading(atMs: number, { old, new: fresh }: Sides<Measure>): ValueReading {
  const asValue = (measure: Measure): number | Missing => {
    if (measure.kind === 'value') return measure.value
    return measure.kind === 'missing' ? measure : missing('bad-answer', 'counts came where a value was expected')
  }
  return { kind: 'value', atMs, value: { old: asValue(old), new: asValue(fresh) } }
}
