import type { Tally } from '../core/state.ts'
import { pack, type Shape, Shapes, unpack } from '../shared/packed.ts'

/** Rows for which there is room at first. */
const FIRST_ROOM = 16
/** Whenever it is used up, it becomes so many times larger. */
const GROWTH = 1.25

/** Tallies of one shape, a row each. */
class Slab {
  readonly shape: Shape
  private rows: Float64Array
  private readonly free: number[] = []
  private used = 0

  constructor(shape: Shape) {
    this.shape = shape
    this.rows = new Float64Array(FIRST_ROOM * shape.size)
  }

  take(): number {
    const left = this.free.pop()
    if (left !== undefined) return left
    const place = this.used
    this.used += 1
    if (this.used * this.shape.size > this.rows.length) {
      const longer = new Float64Array(Math.ceil(this.used * GROWTH) * this.shape.size)
      longer.set(this.rows)
      this.rows = longer
    }
    return place
  }

  leave(place: number): void {
    this.free.push(place)
  }

  get isEmpty(): boolean {
    return this.free.length === this.used
  }

  /** False: it has another shape. */
  write(place: number, tally: Tally): boolean {
    return pack(tally, this.shape, this.rows, place * this.shape.size)
  }

  read(place: number): Tally {
    // What was packed was a tally, and it comes out as it went in.
    return unpack(this.shape, this.rows, place * this.shape.size) as Tally
  }
}

/**
 * The tallies of many rollouts: as objects they would be most of what is kept of a fleet, and each sweep would make all of
 * them anew. They are packed into a few long rows of numbers, and made of them for the one that is looked at.
 */
export class Tallies {
  private readonly shapes = new Shapes()
  private readonly slabs = new Map<Shape, Slab>()
  private readonly places = new Map<string, { readonly slab: Slab; readonly place: number }>()

  set(workload: string, tally: Tally): void {
    const known = this.places.get(workload)
    if (known?.slab.write(known.place, tally)) return
    if (known) this.leave(known)
    const slab = this.slabOf(this.shapes.of(tally))
    const place = slab.take()
    slab.write(place, tally)
    this.places.set(workload, { slab, place })
  }

  /** Throws where there is none. */
  get(workload: string): Tally {
    const known = this.places.get(workload)
    if (!known) throw new Error(`no tally of ${workload}`)
    return known.slab.read(known.place)
  }

  clear(): void {
    this.places.clear()
    this.slabs.clear()
  }

  private slabOf(shape: Shape): Slab {
    const slab = this.slabs.get(shape) ?? new Slab(shape)
    this.slabs.set(shape, slab)
    return slab
  }

  private leave({ slab, place }: { readonly slab: Slab; readonly place: number }): void {
    slab.leave(place)
    if (slab.isEmpty) this.slabs.delete(slab.shape)
  }
}
