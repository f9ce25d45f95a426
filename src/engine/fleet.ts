import { fleetReadings, membersOf, servingOf } from '../core/fleet.ts'
import type { FleetPlan } from '../core/fleet-plan.ts'
import { type FleetView, fleetView } from '../core/fleet-view.ts'
import type { FleetReading } from '../core/observation.ts'
import type { Standing } from '../core/state.ts'
import type { Book } from './book.ts'
import type { FleetSight, Subject } from './observe.ts'
import type { SignalWatch } from './signal-watch.ts'

const EARLY: FleetReading = { waitsFor: 'its migration is not in the config in force', verdicts: [] }

/** Looks at the migrations as wholes: who may start, what halts all. Their plans follow the config at once. */
export class Fleet {
  private readonly plans: () => readonly FleetPlan[]
  private readonly signals: SignalWatch

  /** @param plans one a migration, asked each time */
  constructor(plans: () => readonly FleetPlan[], signals: SignalWatch) {
    this.plans = plans
    this.signals = signals
  }

  /** Reads the signals of every migration that has something to move. */
  async look(atMs: number, subjects: readonly Subject<Standing>[], signal: AbortSignal): Promise<void> {
    const busy = this.plans().filter((plan) => membersOf(plan, subjects).length > 0)
    await this.signals.poll(atMs, busy, (plan) => servingOf(membersOf(plan, subjects)), signal)
  }

  /** What the migrations say to each of their rollouts now. */
  sight(book: Book, nowMs: number): FleetSight {
    const subjects = book.subjects()
    const plans = this.plans()
    // While a new config is being taken in, its workloads may be there before its waves are.
    const early = plans.length === 0 ? [] : subjects.map(({ plan }): [string, FleetReading] => [plan.workload, EARLY])
    const readings = plans.flatMap((plan): [string, FleetReading][] => [
      ...fleetReadings(plan, subjects, this.signals.readings(plan.migration), nowMs),
    ])
    return { phases: book.phases(), readings: new Map([...early, ...readings]) }
  }

  /** The migrations for people, in the order of the config. */
  views(book: Book, nowMs: number): readonly FleetView[] {
    const subjects = book.subjects()
    return this.plans().map((plan) => fleetView(plan, subjects, this.signals.readings(plan.migration), nowMs))
  }
}
