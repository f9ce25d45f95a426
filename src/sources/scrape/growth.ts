import type { Labels } from '../../shared/promql/matching.ts'

/** A counter as a page shows it. */
export interface Reading {
  readonly labels: Labels
  readonly value: number
}

/** What one counter selector showed at one target, up to its newest good page. By the series' identity. */
export interface Baseline {
  /** When that page was read. */
  readonly atMs: number
  readonly series: ReadonlyMap<string, Reading & { readonly seenAtMs: number }>
}

export interface Growth {
  readonly baseline: Baseline
  /** How much each series on the page grew since the baseline; null: there was none. NaN: an unusable value. */
  readonly grown: readonly Reading[] | null
}

/**
 * Compares a page with the one before. A series that is new on a target with a baseline, or fell, counts from zero. One
 * that was away goes on where it stopped; after `gapToleranceMs` both series and target are forgotten, for what they
 * counted meanwhile says little about now. Series of one family begin anew together: of a restarted histogram, a bucket
 * that has already passed its former value would hide it.
 */
export function grow(
  before: Baseline | undefined,
  readings: ReadonlyMap<string, Reading>,
  atMs: number,
  gapToleranceMs: number,
  familyOf: (labels: Labels) => string = seriesKey,
): Growth {
  const isKept = (seenAtMs: number) => atMs - seenAtMs <= gapToleranceMs
  const known = before && isKept(before.atMs) ? before : undefined
  const series = new Map([...(known?.series ?? [])].filter(([, { seenAtMs }]) => isKept(seenAtMs)))
  const hasFallen = ([key, { value }]: [string, Reading]) => value < (series.get(key)?.value ?? 0)
  const restarted = new Set([...readings].filter(hasFallen).map(([, { labels }]) => familyOf(labels)))
  const grown: Reading[] = []
  for (const [key, { labels, value }] of readings) {
    const isUsable = Number.isFinite(value) && value >= 0
    const before = restarted.size > 0 && restarted.has(familyOf(labels)) ? 0 : (series.get(key)?.value ?? 0)
    grown.push({ labels, value: isUsable ? value - before : Number.NaN })
    if (isUsable) series.set(key, { labels, value, seenAtMs: atMs })
  }
  return { baseline: { atMs, series }, grown: known ? grown : null }
}

/** Two series are the same when all their labels are. */
export function seriesKey(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))
}
