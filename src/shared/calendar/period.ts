/** From an instant on, up to and without another. */
export interface Period {
  readonly fromMs: number
  readonly toMs: number
}

/** What touches or overlaps becomes one; in their order. */
export function mergePeriods(periods: readonly Period[]): readonly Period[] {
  const merged: Period[] = []
  for (const { fromMs, toMs } of periods.toSorted((a, b) => a.fromMs - b.fromMs)) {
    if (toMs <= fromMs) continue
    const last = merged.at(-1)
    if (last && fromMs <= last.toMs) merged[merged.length - 1] = { ...last, toMs: Math.max(last.toMs, toMs) }
    else merged.push({ fromMs, toMs })
  }
  return merged
}
