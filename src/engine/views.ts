import type { Verdict } from '../core/gates/verdict.ts'
import { verdictsOn } from '../core/harm.ts'
import type { Observation } from '../core/observation.ts'
import type { Plan } from '../core/plan.ts'
import { problem } from '../core/problem.ts'
import type { RolloutState } from '../core/state.ts'
import type { WorkloadView } from '../ports/control.ts'
import type { Book } from './book.ts'
import type { FleetSight, Observer } from './observe.ts'
import type { Said } from './think.ts'

/** The rollouts of a book for people, in its order. */
export function viewsOf(book: Book, observer: Observer): readonly WorkloadView[] {
  let fleet: FleetSight | null = null
  const sight = () => {
    fleet ??= observer.fleetSight(book)
    return fleet
  }
  return book.subjects().map(({ state: { workload }, plan }) => new LazyView(workload, plan, { book, observer, sight }))
}

interface Desk {
  readonly book: Book
  readonly observer: Observer
  readonly sight: () => FleetSight
}

/** Made when it is looked at: most readers of a large fleet want one workload, or none. */
class LazyView implements WorkloadView {
  readonly plan: Plan
  private readonly workload: string
  private readonly desk: Desk
  private seen: RolloutState | null = null
  private observed: Observation | null = null
  private said: Said | null = null

  constructor(workload: string, plan: Plan, desk: Desk) {
    this.workload = workload
    this.plan = plan
    this.desk = desk
  }

  /** Throws API_NOT_FOUND when it has gone since the view was made, as to another shard. */
  get state(): RolloutState {
    const state = this.seen ?? this.desk.book.subject(this.workload)?.state
    if (!state) throw problem('API_NOT_FOUND', `no workload "${this.workload}" any more`)
    this.seen = state
    return state
  }

  get observation(): Observation {
    this.observed ??= this.desk.observer.observationOf(this, [], this.desk.sight())
    return this.observed
  }

  get verdicts(): readonly Verdict[] | null {
    this.said ??= this.desk.book.verdictsOf(this.workload)
    if (this.said === 'anew') this.said = verdictsOn(this)
    return this.said
  }
}
