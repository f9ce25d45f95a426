import type { SourceKind } from '../ports/source.ts'
import { cloudwatchKind } from './cloudwatch/kind.ts'
import { datadogKind } from './datadog/kind.ts'
import { lokiKind } from './loki/kind.ts'
import { prometheusKind } from './prometheus/kind.ts'
import { scrapeKind } from './scrape/kind.ts'

/** Every kind of metric source. */
export const sourceKinds: readonly SourceKind[] = [prometheusKind, scrapeKind, lokiKind, datadogKind, cloudwatchKind]

/** Of these kinds, the one that answers PromQL; null: none does. */
export function promqlKindOf(configured: readonly string[]): string | null {
  return sourceKinds.find(({ kind, measures }) => measures.includes('value') && configured.includes(kind))?.kind ?? null
}
