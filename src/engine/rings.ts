import type { Counts } from '../core/observation.ts'

/** Cells of a window: it covers between 11/12 and all of its length. */
const CELLS = 12
/** Groups for which there is room at first. */
const FIRST_ROOM = 64
/** Whenever it is used up, it becomes so many times larger: a large fleet's columns are most of what is kept of it. */
const GROWTH = 1.25

/** Sums by group. Whole numbers are kept as narrow as they are, as long as there are no others in the column. */
type Column = Uint16Array | Uint32Array | Float64Array

/**
 * Sums of counts over the last `seconds`, in a few coarse cells, so that the cost does not depend on the ticks. The cells
 * of all groups are the same stretches of time, and each cell is one column, since there may be ten thousands of groups.
 */
class Ring {
  readonly seconds: number
  private readonly cellMs: number
  private readonly cells = new Float64Array(CELLS).fill(Number.NEGATIVE_INFINITY)
  private readonly totals = columns()
  private readonly bads = columns()

  constructor(seconds: number) {
    this.seconds = seconds
    this.cellMs = (seconds * 1000) / CELLS
  }

  /** Makes room for so many groups. */
  resize(room: number): void {
    for (const columns of [this.totals, this.bads])
      for (const [slot, column] of columns.entries()) {
        const longer = emptyAs(column, room)
        longer.set(column)
        columns[slot] = longer
      }
  }

  /**
   * A tick counts in the cell in which it ends. Of one that is longer than the window, as after an outage of the
   * source, counts the share that falls into it.
   */
  add(group: number, atMs: number, { total, bad }: Counts, lengthMs: number): void {
    const share = Math.min(1, (this.cellMs * CELLS) / lengthMs)
    const cell = Math.ceil(atMs / this.cellMs) - 1
    const slot = cell % CELLS
    // A refill that comes late must not wipe out what is newer.
    if (cell < at(this.cells, slot)) return
    const isNew = this.cells[slot] !== cell
    this.cells[slot] = cell
    if (isNew) for (const columns of [this.totals, this.bads]) empty(columns, slot)
    addTo(this.totals, slot, group, total * share)
    addTo(this.bads, slot, group, bad * share)
  }

  /** The sum of the cells that end after `atMs - seconds` and began at `sinceMs` or later. */
  sum(group: number, atMs: number, sinceMs: number): Counts {
    const newest = Math.ceil(atMs / this.cellMs) - 1
    const oldest = Math.max(newest - CELLS + 1, Math.ceil(sinceMs / this.cellMs))
    let total = 0
    let bad = 0
    for (let slot = 0; slot < CELLS; slot++) {
      const cell = at(this.cells, slot)
      const totals = this.totals[slot]
      const bads = this.bads[slot]
      if (cell < oldest || cell > newest || totals === undefined || bads === undefined) continue
      total += at(totals, group)
      bad += at(bads, group)
    }
    return { total, bad }
  }
}

function columns(): Column[] {
  return Array.from({ length: CELLS }, () => new Uint16Array(FIRST_ROOM))
}

function emptyAs(column: Column, room: number): Column {
  if (column instanceof Uint16Array) return new Uint16Array(room)
  return column instanceof Uint32Array ? new Uint32Array(room) : new Float64Array(room)
}

/** Whole numbers come again: what they needed last time is kept. */
function empty(columns: Column[], slot: number): void {
  const column = columns[slot]
  if (column instanceof Float64Array) columns[slot] = new Uint16Array(column.length)
  else column?.fill(0)
}

function addTo(columns: Column[], slot: number, group: number, count: number): void {
  const before = columns[slot]
  if (before === undefined) return
  const sum = at(before, group) + count
  const column = holding(before, sum)
  columns[slot] = column
  column[group] = sum
}

/** The column, or a wider one with the same in it, that can hold this sum. */
function holding(column: Column, sum: number): Column {
  if (column instanceof Float64Array || isWhole(sum, 8 * column.BYTES_PER_ELEMENT)) return column
  return isWhole(sum, 32) ? Uint32Array.from(column) : Float64Array.from(column)
}

function isWhole(sum: number, bits: number): boolean {
  return Number.isInteger(sum) && sum >= 0 && sum < 2 ** bits
}

/** Index within the array: always there. */
function at(values: Column, index: number): number {
  return values[index] as number
}

/** The windows of one SLI, for every group (cluster and workload) that was ever seen. */
export class SliWindows {
  readonly seconds: readonly number[]
  private readonly rings: readonly Ring[]
  /** The place of each group in the columns. */
  private readonly places = new Map<string, number>()
  private room = FIRST_ROOM

  constructor(seconds: readonly number[]) {
    this.seconds = seconds
    this.rings = seconds.map((length) => new Ring(length))
  }

  /** Takes in what was counted in the `lengthMs` before `atMs`. */
  add(group: string, atMs: number, counts: Counts, lengthMs = 0): void {
    const place = this.placeOf(group)
    for (const ring of this.rings) ring.add(place, atMs, counts, lengthMs)
  }

  /** The sum of each window, in the order of `seconds`; null: this group was never seen. */
  sums(group: string, atMs: number, sinceMs: number): readonly Counts[] | null {
    const place = this.places.get(group)
    return place === undefined ? null : this.rings.map((ring) => ring.sum(place, atMs, sinceMs))
  }

  /** The same of one window; null also where there is none of that length. */
  sum(group: string, seconds: number, atMs: number, sinceMs: number): Counts | null {
    return this.sums(group, atMs, sinceMs)?.[this.seconds.indexOf(seconds)] ?? null
  }

  private placeOf(group: string): number {
    let place = this.places.get(group)
    if (place === undefined) {
      place = this.places.size
      this.places.set(group, place)
      if (place >= this.room) {
        this.room = Math.ceil(this.room * GROWTH)
        for (const ring of this.rings) ring.resize(this.room)
      }
    }
    return place
  }
}
