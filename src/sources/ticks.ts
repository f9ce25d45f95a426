import type { HistorySpan, Tick } from '../ports/source.ts'

/** The ticks of a span, oldest first; the last one ends with it. */
export function ticksOf({ untilMs, seconds, tickSeconds }: HistorySpan): Tick[] {
  const count = Math.floor(seconds / tickSeconds)
  const tickMs = tickSeconds * 1000
  return Array.from({ length: count }, (_, index) => {
    const atMs = untilMs - (count - 1 - index) * tickMs
    return { sinceMs: atMs - tickMs, atMs }
  })
}

/** The ends of ticks that follow each other, as ranges of at most so many points each, both ends counted. */
export function rangesOf(ticks: readonly Tick[], maxPoints: number): { firstMs: number; lastMs: number }[] {
  const ranges = []
  for (let start = 0; start < ticks.length; start += maxPoints) {
    const [first, last] = [ticks[start], ticks[Math.min(start + maxPoints, ticks.length) - 1]]
    if (first && last) ranges.push({ firstMs: first.atMs, lastMs: last.atMs })
  }
  return ranges
}
