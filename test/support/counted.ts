/** What a service counted at a moment, as a store of metrics keeps it. */
export interface CountedEvent {
  readonly metric: string
  readonly tags: Readonly<Record<string, string>>
  readonly atMs: number
  readonly value: number
}

export interface CountedSpan {
  readonly fromMs: number
  readonly toMs: number
  readonly periodMs: number
}

/** Of the events with these tags, by the values of `by`: when each period begins, and its sum. Without an event no point. */
export function sumsByPeriod(
  events: readonly CountedEvent[],
  wanted: { readonly metric: string; readonly tags: Readonly<Record<string, string>>; readonly by: readonly string[] },
  { fromMs, toMs, periodMs }: CountedSpan,
): ReadonlyMap<string, ReadonlyMap<number, number>> {
  const groups = new Map<string, Map<number, number>>()
  for (const { metric, tags, atMs, value } of events) {
    const isWanted =
      metric === wanted.metric && Object.entries(wanted.tags).every(([name, text]) => tags[name] === text)
    if (!isWanted || atMs < fromMs || atMs >= toMs) continue
    const key = JSON.stringify(wanted.by.map((name) => tags[name] ?? ''))
    const sums = groups.get(key) ?? new Map<number, number>()
    const beginMs = Math.floor(atMs / periodMs) * periodMs
    groups.set(key, sums.set(beginMs, (sums.get(beginMs) ?? 0) + value))
  }
  return groups
}
