import type { AdapterContext } from '../ports/kind.ts'
import type { MetricSource, SourceKind, SyntheticReader } from '../ports/source.ts'
import { cloudwatchKind } from './cloudwatch/kind.ts'
import { datadogKind } from './datadog/kind.ts'
import { httpJsonKind } from './http-json/kind.ts'
import { lokiKind } from './loki/kind.ts'
import { prometheusKind } from './prometheus/kind.ts'
import { scrapeKind } from './scrape/kind.ts'
import { tempoKind } from './tempo/kind.ts'

/** Every kind of metric source. */
export const sourceKinds: readonly SourceKind[] = [
  prometheusKind,
  scrapeKind,
  lokiKind,
  tempoKind,
  httpJsonKind,
  datadogKind,
  cloudwatchKind,
]

/** Of these kinds, the one that answers PromQL; null: none does. */
export function promqlKindOf(configured: readonly string[]): string | null {
  return sourceKinds.find(({ kind, measures }) => measures.includes('value') && configured.includes(kind))?.kind ?? null
}

/** Settings of sources, by kind. */
type Configured = Readonly<Record<string, unknown>>

/** The sources of a config, by kind. */
export function openSources(configured: Configured, context: AdapterContext): ReadonlyMap<string, MetricSource> {
  return new Map(
    sourceKinds.flatMap(({ kind, open }) =>
      configured[kind] === undefined ? [] : [[kind, open(configured[kind], context)] as const],
    ),
  )
}

/** Those of them that run synthetic tests. */
export function openSynthetics(configured: Configured, context: AdapterContext): ReadonlyMap<string, SyntheticReader> {
  return new Map(
    sourceKinds.flatMap(({ kind, synthetics }) =>
      synthetics && configured[kind] !== undefined ? [[kind, synthetics.open(configured[kind], context)] as const] : [],
    ),
  )
}
