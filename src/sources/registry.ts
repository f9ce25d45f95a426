import type { SourceKind } from '../ports/source.ts'
import { prometheusKind } from './prometheus/kind.ts'
import { scrapeKind } from './scrape/kind.ts'

/** Every kind of metric source. */
export const sourceKinds: readonly SourceKind[] = [prometheusKind, scrapeKind]
