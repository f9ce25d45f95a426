import type { Counts } from '../core/observation.ts'

/** So many groups share the columns of a page: arrays of its own for each would be as large again as what is in them. */
const GROUPS = 64

/** Whole numbers are kept as narrow as they are; others in single precision, exact up to 16 million. */
type Column = Uint8Array | Uint16Array | Float32Array

interface Page {
  totals: Column
  bads: Column
}

/** Places for the ticks of groups, `length` for each. */
export class TickPages {
  private readonly length: number
  private readonly pages: Page[] = []
  /** Given back, to be given out again. */
  private readonly free: number[] = []
  private used = 0

  constructor(length: number) {
    this.length = length
  }

  /** A row for one group. What stands in it is of no use. */
  take(): number {
    return this.free.pop() ?? this.used++
  }

  giveBack(row: number): void {
    this.free.push(row)
  }

  put(row: number, place: number, { total, bad }: Counts): void {
    const page = this.pageOf(row)
    const slot = this.slotOf(row, place)
    page.totals = holding(page.totals, total)
    page.bads = holding(page.bads, bad)
    page.totals[slot] = total
    page.bads[slot] = bad
  }

  /** What was put there. */
  at(row: number, place: number): Counts {
    const { totals, bads } = this.pageOf(row)
    const slot = this.slotOf(row, place)
    // Index within the array: always there.
    return { total: totals[slot] as number, bad: bads[slot] as number }
  }

  private pageOf(row: number): Page {
    const index = Math.floor(row / GROUPS)
    const room = GROUPS * this.length
    const page = this.pages[index] ?? { totals: new Uint8Array(room), bads: new Uint8Array(room) }
    this.pages[index] = page
    return page
  }

  private slotOf(row: number, place: number): number {
    return (row % GROUPS) * this.length + place
  }
}

/** The column, or a wider one with the same in it, that can hold this count. */
function holding(column: Column, count: number): Column {
  if (column instanceof Float32Array || isWhole(count, 8 * column.BYTES_PER_ELEMENT)) return column
  return isWhole(count, 16) ? Uint16Array.from(column) : Float32Array.from(column)
}

function isWhole(count: number, bits: number): boolean {
  return Number.isInteger(count) && count >= 0 && count < 2 ** bits
}
