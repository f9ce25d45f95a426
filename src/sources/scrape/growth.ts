import type { Labels } from './matching.ts'

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
 * counted meanwhile says little about now.
 */
export function grow(
  before: Baseline | undefined,
  readings: ReadonlyMap<string, Reading>,
  atMs: number,
  gapToleranceMs: number,
): Growth {
  const isKept = (seenAtMs: number) => atMs - seenAtMs <= gapToleranceMs
  const known = before && isKept(before.atMs) ? before : undefined
  const series = new Map([...(known?.series ?? [])].filter(([, { seenAtMs }]) => isKept(seenAtMs)))
  const grown: Reading[] = []
  for (const [key, { labels, value }] of readings) {
    const isUsable = Number.isFinite(value) && value >= 0
    grown.push({ labels, value: isUsable ? growthOf(series.get(key)?.value, value) : Number.NaN })
    if (isUsable) series.set(key, { labels, value, seenAtMs: atMs })
  }
  return { baseline: { atMs, series }, grown: known ? grown : null }
}

function growthOf(before: number | undefined, now: number): number {
  return before === undefined || now < before ? now : now - before
}

/** Two series are the same when all their labels are. */
export function seriesKey(labels: Labels): string {
  return JSON.stringify(Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1)))
}
