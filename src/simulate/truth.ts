import { missing } from '../core/observation.ts'
import type { SliSpec } from '../core/plan.ts'
import type { Clock } from '../ports/runtime.ts'
import { groupKey, type Measure, type MetricSource, type Prober, type SliVector, type Tick } from '../ports/source.ts'
import { CLUSTERS } from './config.ts'

const REQUESTS_A_SECOND = 100
/** A probe of a side that fails so many of its requests fails, percent. */
const PROBE_FAILS_PERCENT = 50
/** A source that is slow answers after the deadline, ms. */
const SLOW_MS = 12_000

/** What is wrong with the source. */
export type SourceFault = 'away' | 'slow' | 'hangs' | 'not-a-number' | 'gaps' | 'empty'
export const SOURCE_FAULTS: readonly SourceFault[] = ['away', 'slow', 'hangs', 'not-a-number', 'gaps', 'empty']

/** What one workload's users see from a moment on. */
interface Segment {
  readonly fromMs: number
  readonly sharePercent: number
  /** Of its requests, so many are copied to NEW. */
  readonly copiedPercent: number
  readonly badPercent: { readonly old: number; readonly new: number }
}

/** What really happens to users: steady traffic, split by the weights that the provider really has. */
export class Truth {
  fault: SourceFault | null = null
  private readonly segments = new Map<string, Segment[]>()
  private readonly clock: Clock

  constructor(clock: Clock, workloads: readonly string[]) {
    this.clock = clock
    const first = {
      fromMs: Number.NEGATIVE_INFINITY,
      sharePercent: 0,
      copiedPercent: 0,
      badPercent: { old: 0, new: 0 },
    }
    for (const workload of workloads) this.segments.set(workload, [first])
  }

  /** The share of requests that NEW serves from now on, and of those that are copied to it, percent. */
  setShare(workload: string, sharePercent: number, copiedPercent = 0): void {
    this.change(workload, { sharePercent, copiedPercent })
  }

  /** The share of their requests that the clusters fail from now on, percent. */
  setBad(workload: string, badPercent: Segment['badPercent']): void {
    this.change(workload, { badPercent })
  }

  private change(workload: string, patch: Partial<Segment>): void {
    const all = this.segments.get(workload)
    const last = all?.at(-1)
    if (all && last) all.push({ ...last, ...patch, fromMs: this.clock.nowMs() })
  }

  /** What both sides served in a time. */
  private groups({ sinceMs, atMs }: Tick): Map<string, Measure> {
    const groups = new Map<string, Measure>()
    for (const [workload, segments] of this.segments) {
      const sums = { old: { total: 0, bad: 0 }, new: { total: 0, bad: 0 } }
      let untilMs = atMs
      for (const { fromMs, sharePercent, copiedPercent, badPercent } of segments.toReversed()) {
        const seconds = Math.max(0, untilMs - Math.max(fromMs, sinceMs)) / 1000
        untilMs = Math.min(untilMs, fromMs)
        for (const side of ['old', 'new'] as const) {
          const share = side === 'new' ? sharePercent + copiedPercent : 100 - sharePercent
          const total = (REQUESTS_A_SECOND * seconds * share) / 100
          sums[side].total += total
          sums[side].bad += (total * badPercent[side]) / 100
        }
        if (untilMs <= sinceMs) break
      }
      for (const side of ['old', 'new'] as const)
        groups.set(groupKey(CLUSTERS[side], workload), { kind: 'counts', ...sums[side], latencies: null })
    }
    return groups
  }

  /** As a source tells it: it knows nothing of the future, and may have its faults. */
  private vector(tick: Tick): SliVector {
    if (tick.atMs > this.clock.nowMs() + 1000) return missing('stale', 'nothing is known of the future')
    const groups = this.groups(tick)
    switch (this.fault) {
      case 'away':
        return missing('unreachable', 'the source is away')
      case 'empty':
        return { kind: 'vector', ...tick, groups: new Map() }
      case 'gaps':
        for (const key of [...groups.keys()]) if (key.startsWith(CLUSTERS.new)) groups.delete(key)
        return { kind: 'vector', ...tick, groups }
      case 'not-a-number':
        for (const key of groups.keys()) groups.set(key, missing('not-a-number', 'NaN'))
        return { kind: 'vector', ...tick, groups }
      case 'slow':
      case 'hangs':
      case null:
        return { kind: 'vector', ...tick, groups }
    }
  }

  private async arrive(signal: AbortSignal): Promise<void> {
    if (this.fault === 'slow') await this.clock.sleep(SLOW_MS, signal)
    if (this.fault === 'hangs') await new Promise(() => {})
  }

  readonly source: MetricSource = {
    poll: async (slis: readonly SliSpec[], tick, signal) => {
      await this.arrive(signal)
      const vector = signal.aborted ? missing('timeout', 'the deadline came first') : this.vector(tick)
      return new Map(slis.map((sli) => [sli, vector]))
    },
    // What was before a start is only in the windows of the processes that saw it.
    history: async () => [],
    close: async () => {},
  }

  readonly prober: Prober = {
    probe: async ({ name, url }, side, signal) => {
      await this.arrive(signal)
      if (signal.aborted) return missing('timeout', 'the deadline came first')
      const workload = new URL(url).hostname.split('.')[0] ?? name
      const bad = this.segments.get(workload)?.at(-1)?.badPercent[side] ?? 0
      const isFine = bad < PROBE_FAILS_PERCENT
      return isFine ? { kind: 'passed', seconds: 0.01 } : { kind: 'failed', seconds: 0.01, why: 'status 500' }
    },
    close: async () => {},
  }
}
