import { type Missing, missing } from '../../src/core/observation.ts'
import type { SliSpec } from '../../src/core/plan.ts'
import {
  type AskedSli,
  groupKey,
  type HistorySpan,
  type Measure,
  type MetricSource,
  type SliVector,
  type Tick,
} from '../../src/ports/source.ts'

export const SWEEP_SECONDS = 10
export const START_MS = Date.UTC(2026, 0, 5)
const RATE = 10

/** A source that serves ten requests a second since ever, and remembers what it was asked. */
export class SteadySource implements MetricSource {
  readonly asked: { readonly specs: number; readonly clusters: readonly string[]; readonly tick: Tick }[] = []
  readonly remembered: HistorySpan[] = []
  fault: Missing | null = null
  historyFault: Missing | 'hangs' | null = null
  hasMemory = true
  /** The longest past that it can tell at once, seconds. */
  remembersSeconds = Number.POSITIVE_INFINITY
  hangs = false
  ingestDelaySeconds?: number
  measureOf: MeasureOf = steady

  async poll(slis: readonly AskedSli[], tick: Tick): Promise<ReadonlyMap<SliSpec, SliVector>> {
    this.asked.push({ specs: slis.length, clusters: slis.flatMap(({ clusters = [] }) => clusters), tick })
    if (this.hangs) await new Promise(() => {})
    return new Map(slis.map((sli) => [sli, this.fault ?? vectorOf(tick, this.measureOf)]))
  }
  async history(_: SliSpec, span: HistorySpan): Promise<readonly SliVector[] | Missing> {
    this.remembered.push(span)
    if (this.historyFault === 'hangs') return new Promise(() => {})
    if (this.historyFault) return this.historyFault
    if (!this.hasMemory) return []
    if (span.seconds > this.remembersSeconds) return missing('bad-answer', 'too much to tell')
    const tickMs = span.tickSeconds * 1000
    return Array.from({ length: span.seconds / span.tickSeconds }, (_unused, index) => {
      const sinceMs = span.untilMs - (index + 1) * tickMs
      return vectorOf({ sinceMs, atMs: sinceMs + tickMs }, this.measureOf)
    }).reverse()
  }
  async close(): Promise<void> {}
}

export type MeasureOf = (tick: Tick, cluster: string) => Measure

function steady({ sinceMs, atMs }: Tick): Measure {
  return { kind: 'counts', total: (RATE * (atMs - sinceMs)) / 1000, bad: 0, latencies: null }
}

function vectorOf(tick: Tick, measureOf: MeasureOf): SliVector {
  const groups = ['blue', 'green'].flatMap((cluster) =>
    ['checkout', 'catalog'].map((workload) => [groupKey(cluster, workload), measureOf(tick, cluster)] as const),
  )
  return { kind: 'vector', ...tick, groups: new Map(groups) }
}
