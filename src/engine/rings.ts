import type { Counts } from '../core/observation.ts'

/** Cells of a window: it covers between 11/12 and all of its length. */
const CELLS = 12

/** Sums of counts over the last `seconds`, in a few coarse cells, so that the cost does not depend on the ticks. */
class Ring {
  private readonly cellMs: number
  private readonly cells = new Float64Array(CELLS).fill(Number.NEGATIVE_INFINITY)
  private readonly total = new Float64Array(CELLS)
  private readonly bad = new Float64Array(CELLS)

  constructor(seconds: number) {
    this.cellMs = (seconds * 1000) / CELLS
  }

  /**
   * A tick counts in the cell in which it ends. Of one that is longer than the window, as after an outage of the
   * source, counts the share that falls into it.
   */
  add(atMs: number, { total, bad }: Counts, lengthMs: number): void {
    const share = Math.min(1, (this.cellMs * CELLS) / lengthMs)
    const cell = Math.ceil(atMs / this.cellMs) - 1
    const slot = cell % CELLS
    // A refill that comes late must not wipe out what is newer.
    if (cell < at(this.cells, slot)) return
    if (this.cells[slot] !== cell) {
      this.cells[slot] = cell
      this.total[slot] = 0
      this.bad[slot] = 0
    }
    this.total[slot] = at(this.total, slot) + total * share
    this.bad[slot] = at(this.bad, slot) + bad * share
  }

  /** The sum of the cells that end after `atMs - seconds` and began at `sinceMs` or later. */
  sum(atMs: number, sinceMs: number): Counts {
    const newest = Math.ceil(atMs / this.cellMs) - 1
    const oldest = Math.max(newest - CELLS + 1, Math.ceil(sinceMs / this.cellMs))
    const sum = { total: 0, bad: 0 }
    for (let slot = 0; slot < CELLS; slot++) {
      const cell = at(this.cells, slot)
      if (cell < oldest || cell > newest) continue
      sum.total += at(this.total, slot)
      sum.bad += at(this.bad, slot)
    }
    return sum
  }
}

/** Index within a fixed-size array: always there. */
function at(values: Float64Array, index: number): number {
  return values[index] as number
}

/** The windows of one SLI, for every group (cluster and workload) that was ever seen. */
export class SliWindows {
  private readonly groups = new Map<string, ReadonlyMap<number, Ring>>()
  readonly seconds: readonly number[]

  constructor(seconds: readonly number[]) {
    this.seconds = seconds
  }

  /** Takes in what was counted in the `lengthMs` before `atMs`. */
  add(group: string, atMs: number, counts: Counts, lengthMs = 0): void {
    let rings = this.groups.get(group)
    if (!rings) {
      rings = new Map(this.seconds.map((seconds) => [seconds, new Ring(seconds)]))
      this.groups.set(group, rings)
    }
    for (const ring of rings.values()) ring.add(atMs, counts, lengthMs)
  }

  /** null: this group was never seen. */
  sum(group: string, seconds: number, atMs: number, sinceMs: number): Counts | null {
    return this.groups.get(group)?.get(seconds)?.sum(atMs, sinceMs) ?? null
  }
}
