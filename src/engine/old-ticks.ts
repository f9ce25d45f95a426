import { estimateDispersion } from '../core/gates/dispersion.ts'
import type { Counts, Dispersion } from '../core/observation.ts'
import type { SliMeasure } from '../core/plan.ts'
import { clusterOf, type SliVector } from '../ports/source.ts'
import { TickPages } from './tick-pages.ts'

/** So many of the newest ticks of a group are kept: three hours of sweeps of 30 s. */
export const KEPT_TICKS = 360
/** φ is estimated anew after at least so many ticks: it moves slowly, and there may be thousands of groups. */
const ESTIMATE_EVERY_TICKS = 30

/** The newest ticks of one group. */
class TickRing {
  private readonly pages: TickPages
  readonly row: number
  /** Where the next tick goes, and how many are there before it. */
  private end = 0
  private count = 0
  private added = 0
  private estimate: Dispersion | null = null
  /** The number of ticks at which the next estimate is due. */
  private dueAfter = 0
  private delayTicks: number

  /** `delayTicks` puts off its second estimate: thousands of groups, all in one sweep, would hold that one up. */
  constructor(pages: TickPages, delayTicks: number) {
    this.pages = pages
    this.row = pages.take()
    this.delayTicks = delayTicks
  }

  add(tick: Counts): void {
    this.put(this.end, tick)
    this.end = (this.end + 1) % KEPT_TICKS
    this.count = Math.min(this.count + 1, KEPT_TICKS)
  }

  /** Puts a tick before the oldest; where all places are taken it is too old. */
  prepend(tick: Counts): void {
    if (this.count === KEPT_TICKS) return
    this.count += 1
    this.put((this.end - this.count + KEPT_TICKS) % KEPT_TICKS, tick)
  }

  private put(place: number, tick: Counts): void {
    this.pages.put(this.row, place, tick)
    this.added += 1
  }

  /** Oldest first. */
  private ticks(): Counts[] {
    const first = this.end - this.count + KEPT_TICKS
    return Array.from({ length: this.count }, (_, index) => this.pages.at(this.row, (first + index) % KEPT_TICKS))
  }

  dispersion(): Dispersion | null {
    if (this.added >= this.dueAfter) {
      this.estimate = estimateDispersion(this.ticks())
      this.dueAfter = this.added + ESTIMATE_EVERY_TICKS + this.delayTicks
      this.delayTicks = 0
    }
    return this.estimate
  }
}

/** What OLD counted lately in one SLI, tick by tick, by group: how its bad events come, alone or in bursts. */
export class OldTicks {
  private readonly tickMs: number
  private clusters: ReadonlySet<string> = new Set()
  private readonly rings = new Map<string, TickRing>()
  private readonly pages = new TickPages(KEPT_TICKS)
  /** Where the first tick begins; null: there is none yet. */
  private fromMs: number | null = null

  constructor(tickMs: number) {
    this.tickMs = tickMs
  }

  /** Groups of these clusters are kept, and no others. */
  keep(clusters: ReadonlySet<string>): void {
    this.clusters = clusters
    for (const [group, ring] of this.rings) {
      if (clusters.has(clusterOf(group))) continue
      this.rings.delete(group)
      this.pages.giveBack(ring.row)
    }
  }

  /** Takes in a tick that is newer than all before. */
  add(vector: SliVector): void {
    if (vector.kind === 'missing') return
    this.fromMs ??= vector.sinceMs
    for (const [ring, tick] of this.counted(vector)) ring.add(tick)
  }

  /** Puts what a source remembers, oldest first, before all that is there already; what overlaps it is left out. */
  prepend(past: readonly SliVector[]): void {
    for (const vector of past.toReversed()) {
      if (vector.kind === 'missing' || vector.atMs > (this.fromMs ?? vector.atMs)) continue
      this.fromMs = vector.sinceMs
      for (const [ring, tick] of this.counted(vector)) ring.prepend(tick)
    }
  }

  /** null: there are too few bad events to tell. */
  dispersion(group: string): Dispersion | null {
    return this.rings.get(group)?.dispersion() ?? null
  }

  private *counted(vector: Extract<SliVector, { kind: 'vector' }>): Iterable<readonly [TickRing, Counts]> {
    // Of a tick that is longer, as after a failed one, counts vary by its length.
    if (vector.atMs - vector.sinceMs !== this.tickMs) return
    for (const [group, measure] of vector.groups)
      if (measure.kind === 'counts' && this.clusters.has(clusterOf(group))) yield [this.ringOf(group), measure]
  }

  private ringOf(group: string): TickRing {
    let ring = this.rings.get(group)
    if (ring === undefined) {
      ring = new TickRing(this.pages, this.rings.size % ESTIMATE_EVERY_TICKS)
      this.rings.set(group, ring)
    }
    return ring
  }
}

/** False where a tick is not counted by itself: shares of a longer window hide bursts, and values are no counts. */
export function hasOwnTicks(measure: SliMeasure, sweepSeconds: number): boolean {
  switch (measure.kind) {
    case 'selector':
    case 'goodSelector':
    case 'histogram':
    case 'nativeHistogram':
      return true
    case 'query':
      return measure.windowSeconds <= sweepSeconds
    case 'ask':
      return measure.windowSeconds === null || measure.windowSeconds <= sweepSeconds
    case 'value':
    case 'askValue':
      return false
  }
}
