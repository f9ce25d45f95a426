import type { SliMeasure, SliSpec } from '../core/plan.ts'
import { quote } from '../shared/promql/literal.ts'
import { type Selector, selectorText } from '../shared/promql/selector.ts'

/** A recorded series of the share of bad events, and the counter of all of them. */
export interface RecordedRatio {
  readonly ratio: Selector
  /** Whose the ratio is: the value of a label of its own, or one workload whatever its labels say. */
  readonly whose: { readonly label: string } | { readonly workload: string }
  /** Selector of a counter. */
  readonly total: string
  readonly labels: SliSpec['labels']
  /** What the ratio is taken over. */
  readonly windowSeconds: number
}

/**
 * Counts from a ratio: bad = ratio × total, both over the same window, of which each tick takes its share (ADR 19).
 * A ratio over nothing is none, so without events there are no bad ones. Where there are events and no ratio, the whole
 * group is absent: an absent ratio may be a rule that no longer runs.
 */
export function ratioMeasure(recorded: RecordedRatio): SliMeasure {
  const { cluster, workload } = recorded.labels
  const both = `${cluster}, ${workload}`
  const total = `sum by (${both}) (increase(${recorded.total}[$window]))`
  const ratio = named(recorded)
  return {
    kind: 'query',
    total: `${total} == 0 or ${total} and on (${both}) ${ratio}`,
    bad: `${total} == 0 or ${total} * on (${both}) ${ratio}`,
    windowSeconds: recorded.windowSeconds,
  }
}

/** The ratio with the workload's label as the counter has it. */
function named({ ratio, whose, labels: { workload } }: RecordedRatio): string {
  const series = selectorText(ratio)
  if ('workload' in whose) return `label_replace(${series}, "${workload}", ${quote(whose.workload)}, "", "")`
  return whose.label === workload ? series : `label_replace(${series}, "${workload}", "$1", "${whose.label}", "(.*)")`
}

/** 300 → `5m`, 90 → `1m30s`: as Prometheus's own tools write a duration into names; below an hour. */
export function windowName(seconds: number): string {
  const [minutes, rest] = [Math.floor(seconds / 60), seconds % 60]
  return `${minutes > 0 ? `${minutes}m` : ''}${rest > 0 ? `${rest}s` : ''}`
}
