import { isMissing, type Missing, missing } from '../core/observation.ts'
import type { SliSpec } from '../core/plan.ts'
import type { Clock } from '../ports/runtime.ts'
import type { Measure, MetricSource } from '../ports/source.ts'

const WINDOW_SECONDS = 60

/** By group, see `groupKey`. */
export type Values = ReadonlyMap<string, number | Missing>

interface Answering {
  readonly sources: ReadonlyMap<string, MetricSource>
  readonly promql: string | null
  readonly clock: Clock
}

/** Asks for a PromQL value now: one sample for each pair of the two labels' values. */
export async function askValues(
  { sources, promql, clock }: Answering,
  { query, labels }: { readonly query: string; readonly labels: SliSpec['labels'] },
  signal: AbortSignal,
): Promise<Values | Missing> {
  const source = promql === null ? undefined : sources.get(promql)
  if (promql === null || !source) return missing('refused', 'no source answers PromQL')
  const spec: SliSpec = {
    name: 'asked by a check',
    source: promql,
    objectivePercent: null,
    labels,
    measure: { kind: 'value', value: query, windowSeconds: WINDOW_SECONDS },
  }
  const atMs = clock.nowMs()
  const vectors = await source.poll([spec], { sinceMs: atMs - WINDOW_SECONDS * 1000, atMs }, signal)
  const vector = vectors.get(spec) ?? missing('bad-answer', 'the source gave no answer')
  return isMissing(vector) ? vector : new Map([...vector.groups].map(([group, measure]) => [group, asValue(measure)]))
}

function asValue(measure: Measure): number | Missing {
  if (measure.kind === 'missing') return measure
  return measure.kind === 'value' ? measure.value : missing('bad-answer', 'counts came where a value was expected')
}
