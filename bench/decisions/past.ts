/** What the metric source has told so far, for all deciders at once: sums over the last ticks in O(1). */
import { BOUNDS_SECONDS, SLOW_INDEX } from './latency.ts'
import { TICKS } from './schedule.ts'
import type { Cluster } from './world.ts'

/** Sums over some ticks: all requests, those that failed, and those slower than the latency SLI's bound. */
export interface Sums {
  readonly total: number
  readonly bad: number
  readonly slow: number
}

export class Past {
  private readonly sides: { readonly old: Prefixes; readonly new: Prefixes }
  private readonly gaps: Uint8Array | null
  private readonly memos = new Map<string, Float64Array>()
  readonly ticks: number

  /** @param gaps 1 for each tick that the source says nothing of; null: it says something of each */
  constructor(old: Cluster, fresh: Cluster, gaps: Uint8Array | null, ticks: number = TICKS) {
    this.sides = { old: new Prefixes(old, gaps, ticks), new: new Prefixes(fresh, gaps, ticks) }
    this.gaps = gaps
    this.ticks = ticks
  }

  isGap(tick: number): boolean {
    return this.gaps?.[tick] === 1
  }

  /** Ticks in (fromTick, tick] without any data. */
  gapTicks(fromTick: number, tick: number): number {
    let count = 0
    for (let n = fromTick; n <= tick; n++) if (this.isGap(n)) count++
    return count
  }

  /** What a test gives at a tick, reckoned once for all settings that ask for it. Never NaN. */
  once(test: string, tick: number, reckon: () => number): number {
    let values = this.memos.get(test)
    if (!values) {
      values = new Float64Array(this.ticks).fill(Number.NaN)
      this.memos.set(test, values)
    }
    const known = values[tick] ?? Number.NaN
    if (!Number.isNaN(known)) return known
    const value = reckon()
    values[tick] = value
    return value
  }

  /** Sums of the ticks `fromTick` to `tick`, both included. */
  sums(side: 'old' | 'new', fromTick: number, tick: number): Sums {
    return this.sides[side].between(Math.max(0, fromTick), tick)
  }
}

class Prefixes {
  private readonly total: Float64Array
  private readonly bad: Float64Array
  private readonly slow: Float64Array

  constructor(cluster: Cluster, gaps: Uint8Array | null, ticks: number) {
    this.total = prefixes(ticks, gaps, (tick) => cluster.total[tick] ?? 0)
    this.bad = prefixes(ticks, gaps, (tick) => cluster.bad[tick] ?? 0)
    this.slow = prefixes(ticks, gaps, (tick) => cluster.slower[tick * BOUNDS_SECONDS.length + SLOW_INDEX] ?? 0)
  }

  between(from: number, to: number): Sums {
    const difference = (values: Float64Array) => (values[to + 1] ?? 0) - (values[from] ?? 0)
    return { total: difference(this.total), bad: difference(this.bad), slow: difference(this.slow) }
  }
}

function prefixes(ticks: number, gaps: Uint8Array | null, countAt: (tick: number) => number): Float64Array {
  const sums = new Float64Array(ticks + 1)
  for (let tick = 0; tick < ticks; tick++) sums[tick + 1] = (sums[tick] ?? 0) + (gaps?.[tick] === 1 ? 0 : countAt(tick))
  return sums
}
