import type { PeriodSeries } from './ask.ts'

/** Answers about one part of a past each (or one page each) as one: the first series of a group goes on in the first of the next. */
export function joinParts(parts: readonly (readonly PeriodSeries[])[]): readonly PeriodSeries[] {
  const whole = new Map<string, { readonly group: string | null; readonly points: PeriodSeries['points'][number][] }>()
  for (const part of parts) {
    const seen = new Map<string | null, number>()
    for (const { group, points } of part) {
      const nth = seen.get(group) ?? 0
      seen.set(group, nth + 1)
      const key = JSON.stringify([group, nth])
      const before = whole.get(key) ?? { group, points: [] }
      for (const point of points) before.points.push(point)
      whole.set(key, before)
    }
  }
  return [...whole.values()].map(({ group, points }) => ({ group, points: points.sort(([a], [b]) => a - b) }))
}
