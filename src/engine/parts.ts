import type { Fact } from '../core/observation.ts'
import type { Book } from './book.ts'
import type { FleetSight, Observer } from './observe.ts'

/** Workloads that a sweep thinks of at a time: whoever waits meanwhile, as an urgent wake does, waits for no more of them. */
const AT_ONCE = 250

/** What one round thinks of. */
export interface Part {
  readonly workloads: readonly string[]
  /** What the migrations as wholes say. */
  readonly fleet: FleetSight
  /** Whether it takes in a fact: each has one round. */
  takes(fact: Fact): boolean
  /** The last of a sweep. */
  readonly endsSweep: boolean
  /** To be called when what it came to is committed, before anything else is. */
  committed(): void
}

/** Those that somebody woke, and all that have facts. */
export function wokenPart(workloads: readonly string[], book: Book, observer: Observer): Part {
  return { workloads, fleet: observer.fleetSight(book), takes: () => true, endsSweep: false, committed: () => {} }
}

/**
 * A sweep over all active workloads, some at a time, in the order of the book. What the migrations as wholes say is looked at
 * once, as if all of them were thought of in one moment; and anew where others have committed meanwhile.
 */
export class SweepParts {
  private readonly book: Book
  private readonly observer: Observer
  private left: readonly string[] | null = null
  private fleet: FleetSight | null = null
  /** Where the book is by this sweep's own commits, since it has looked. */
  private revision = 0

  constructor(book: Book, observer: Observer) {
    this.book = book
    this.observer = observer
  }

  /** True when there was a part for each workload. */
  get areOver(): boolean {
    return this.left?.length === 0
  }

  /** The next part. There is at least one: facts are taken in where nothing is active, too. */
  next(): Part {
    const due = this.left ?? this.book.active().map(({ plan }) => plan.workload)
    const [workloads, left] = [due.slice(0, AT_ONCE), due.slice(AT_ONCE)]
    this.left = left
    if (this.revision !== this.book.revision) this.fleet = null
    this.fleet ??= this.observer.fleetSight(this.book)
    const own = new Set(workloads)
    return {
      workloads,
      fleet: this.fleet,
      // Facts of what is not active, or not there at all, come with the last part.
      takes: ({ workload }) => left.length === 0 || (workload !== null && own.has(workload)),
      endsSweep: left.length === 0,
      committed: () => {
        this.revision = this.book.revision
      },
    }
  }
}
