import type { Urgency } from '../core/effect.ts'
import type { FleetView } from '../core/fleet-view.ts'
import type {
  FleetReading,
  Observation,
  ProbeReading,
  SliReading,
  TargetReading,
  WorkloadFact,
  WriteReport,
} from '../core/observation.ts'
import { missing } from '../core/observation.ts'
import type { Plan, ProbeSpec, Side } from '../core/plan.ts'
import { isAtRest, type PhaseName, type RolloutState, type Standing } from '../core/state.ts'
import { sameWeight } from '../core/weights.ts'
import type { Clock, Meter } from '../ports/runtime.ts'
import type { Prober } from '../ports/source.ts'
import type { Tracer } from '../ports/tracer.ts'
import { mapBounded } from '../shared/bounded.ts'
import { byDeadline, within } from '../shared/deadline.ts'
import type { Book } from './book.ts'
import type { Scopes } from './scopes.ts'
import { type Sights, sightOf } from './sights.ts'
import type { SliWatch } from './sli-watch.ts'
import { readRound, type SyntheticReaders } from './synthetics.ts'
import type { Timer } from './timer.ts'
import { WritesUnderWay } from './under-way.ts'

/** What the fleet says to each of its rollouts. */
export interface FleetSight {
  readonly phases: ReadonlyMap<string, PhaseName>
  /** By workload; one that is in no wave is free. */
  readonly readings: ReadonlyMap<string, FleetReading>
}

const FREE: FleetReading = { waitsFor: null, verdicts: [] }
/** Phases that wait for what the targets read, or have just begun to tidy up. */
const PASSING: readonly PhaseName[] = ['preflight', 'preparing', 'reverting', 'reverted', 'completed']
/** Probes under way at a time. */
const PROBES_AT_ONCE = 32

/** A rollout, or what is told of it, and its plan. */
export interface Subject<State = RolloutState> {
  readonly state: State
  readonly plan: Plan
}

export interface ObserverDeps {
  readonly scopes: Scopes
  readonly slis: SliWatch
  readonly prober: Prober
  readonly synthetics: SyntheticReaders
  readonly sights: Sights
  readonly clock: Clock
  readonly meter: Meter
  readonly timer: Timer
  readonly tracer: Tracer
  readonly sweepSeconds: number
  readonly observeTimeoutSeconds: number
}

/**
 * Gathers what steps need and keeps the newest of it, so that an urgent step never waits for a source. Everything has
 * one deadline; what is late is `missing`.
 */
export class Observer {
  readonly underWay = new WritesUnderWay()
  private readonly targets = new Map<string, TargetReading>()
  private readonly probes = new Map<string, Record<string, ProbeReading>>()
  /** Reports that no commit has made durable yet, by target id. */
  private readonly writes = new Map<string, readonly WriteReport[]>()
  /** When the newest report of a write to each target came, ms: also of one that failed, as it may have been made. */
  private readonly writtenAtMs = new Map<string, number>()
  /** When the newest read of each scope began that the quota had room for, ms. */
  private readonly readAtMs = new Map<string, number>()
  /** When the newest read of each scope that told anything began, ms. */
  private readonly seenAtMs = new Map<string, number>()
  /** The newest time that the clock showed, ms. */
  private newestMs = Number.NEGATIVE_INFINITY
  private readonly deps: ObserverDeps

  constructor(deps: ObserverDeps) {
    this.deps = deps
  }

  /** Asks everything once, for all of these rollouts together; of `everybody` the migrations as wholes. */
  async observe(subjects: readonly Subject<Standing>[], everybody: readonly Subject<Standing>[]): Promise<void> {
    const { slis, clock, sweepSeconds, observeTimeoutSeconds } = this.deps
    const active = subjects.filter(({ state }) => !isAtRest(state))
    const sweepMs = sweepSeconds * 1000
    const atMs = Math.floor(clock.nowMs() / sweepMs) * sweepMs
    const names = this.dueScopes(active)
    const reverting = this.deps.scopes.namesOf(
      active.filter(({ state }) => state.phase.name === 'reverting').map(({ plan }) => plan),
    )
    const urgencyOf = (name: string) => (reverting.includes(name) ? 'revert' : 'forward')
    const watched = active.map(({ plan, state }) => ({ plan, phase: state.phase.name }))
    const readAll = (signal: AbortSignal) =>
      Promise.all([
        slis.poll(atMs, signal),
        ...names.map((name) => this.readInto(name, urgencyOf(name), signal)),
        this.probeAll(active, signal),
        this.readSynthetics(active, signal),
        active.length === 0 ? null : this.deps.sights.fleet.look(atMs, everybody, signal),
        this.deps.sights.checker.look(watched, signal),
        this.deps.sights.replicas.look(watched, signal),
      ])
    const fields = () => ({ 'headgate.workloads': active.length, 'headgate.scopes': names.length })
    await this.deps.tracer.span('headgate.observe', fields, () => within(clock, observeTimeoutSeconds * 1000, readAll))
  }

  /**
   * The scopes to be read now. One that rests, because nothing is on its way to it, costs no call in each sweep; and those
   * that rest take turns, so that a hundred of them don't ask for an account's quota in one moment.
   */
  private dueScopes(active: readonly Subject<Standing>[]): readonly string[] {
    const { scopes, sweepSeconds } = this.deps
    const busy = new Set(scopes.namesOf(active.filter((one) => !this.isQuiet(one)).map(({ plan }) => plan)))
    const resting = scopes.namesOf(active.map(({ plan }) => plan)).filter((name) => !busy.has(name))
    const turns = [...Map.groupBy(resting, (name) => scopes.restSecondsOf(name))].flatMap(([restSeconds, names]) => {
      const sweepsARound = Math.max(1, Math.floor(restSeconds / sweepSeconds))
      const byAge = names.toSorted((a, b) => this.ageMs(b) - this.ageMs(a))
      return byAge
        .slice(0, Math.ceil(names.length / sweepsARound))
        .filter((name) => this.ageMs(name) >= restSeconds * 1000)
    })
    // Where a quota does not let all be read in time, those that were left out longest come first: none is blind for ever.
    const sinceSeen = (name: string) => this.seenAtMs.get(name) ?? 0
    return [...[...busy].sort((a, b) => sinceSeen(a) - sinceSeen(b)), ...turns]
  }

  /** Now, ms. After a jump back no reading tells any more whether a decision came after it: it is forgotten, and read anew. */
  private nowMs(): number {
    const nowMs = this.deps.clock.nowMs()
    if (nowMs < this.newestMs) this.targets.clear()
    this.newestMs = nowMs
    return nowMs
  }

  /** How old a scope's newest read is, ms; one from the future, before the clock went back, is as old as can be. */
  private ageMs(name: string): number {
    const ageMs = this.deps.clock.nowMs() - (this.readAtMs.get(name) ?? Number.NEGATIVE_INFINITY)
    return ageMs < 0 ? Number.POSITIVE_INFINITY : ageMs
  }

  /** True when nothing is on its way to its targets, and none of them could not be read. */
  private isQuiet({ state, plan }: Subject<Standing>): boolean {
    const isMoving = state.unconfirmedPercents.length > 0 || PASSING.includes(state.phase.name)
    const isSettling = state.phase.name === 'stepping' && state.inForceAtMs === null
    if (isMoving || isSettling || state.holds.some(({ cause }) => cause === 'drift' || cause === 'unknown-weight'))
      return false
    return plan.targets.every(({ id }) => {
      const reading = this.targets.get(id)
      return reading === undefined || (reading.kind === 'weight' && reading.pending === undefined)
    })
  }

  /** Reads one scope anew, as after a write; `revert`: after that of one. */
  async readScope(name: string, urgency: Urgency): Promise<void> {
    const { clock, observeTimeoutSeconds } = this.deps
    await within(clock, observeTimeoutSeconds * 1000, (signal) => this.readInto(name, urgency, signal))
  }

  private async readInto(name: string, urgency: Urgency, signal: AbortSignal): Promise<void> {
    const [startedMs, begun] = [this.nowMs(), this.underWay.begin()]
    const { readings, isQuotaLate } = await this.deps.scopes.read(name, startedMs, urgency, signal)
    // The clock went back meanwhile.
    if (startedMs > this.nowMs()) return
    if (!isQuotaLate) this.readAtMs.set(name, startedMs)
    if ([...readings.values()].some(({ kind }) => kind === 'weight')) this.seenAtMs.set(name, startedMs)
    const restMs = this.deps.scopes.restSecondsOf(name) * 1000
    for (const [id, reading] of readings) {
      const before = this.targets.get(id)
      const isLate = isQuotaLate && before && this.isStillGood(before, { id, startedMs, restMs })
      if (isLate || this.underWay.mayBeUntrue(id, reading, begun)) continue
      // Of two reads that overlap, the one that began later is the newer.
      if (!before || before.atMs <= reading.atMs) this.targets.set(id, reading)
    }
  }

  /** Whether a reading says more than that there was no room for a newer one: it is recent, and began after any write. */
  private isStillGood(reading: TargetReading, at: { id: string; startedMs: number; restMs: number }): boolean {
    const ageMs = at.startedMs - reading.atMs
    if (reading.kind === 'missing' || ageMs < 0 || ageMs > at.restMs) return false
    return reading.atMs >= (this.writtenAtMs.get(at.id) ?? Number.NEGATIVE_INFINITY)
  }

  noteWrites(reports: readonly WriteReport[]): void {
    this.underWay.noteReports(reports)
    for (const report of reports) {
      const { targetId, kind, weightPercent, atMs } = report
      const others = this.writes
        .get(targetId)
        ?.filter((one) => one.kind !== kind || one.weightPercent !== weightPercent)
      this.writes.set(targetId, [...(others ?? []), report])
      this.writtenAtMs.set(targetId, atMs)
    }
  }

  /** Whether the newest reading is one of a call that began then or later, and has a weight. */
  wasReadSince(targetId: string, sinceMs: number): boolean {
    const reading = this.targets.get(targetId)
    return reading?.kind === 'weight' && reading.atMs >= sinceMs
  }

  /** True when the newest reading proves this write. */
  proves({ kind, targetId, weightPercent, atMs }: WriteReport): boolean {
    const reading = this.targets.get(targetId)
    if (kind !== 'applied' || reading?.kind !== 'weight' || reading.atMs < atMs) return false
    return sameWeight(reading.weightPercent, weightPercent)
  }

  /** What the migrations as wholes say to their rollouts now. */
  fleetSight(book: Book): FleetSight {
    return this.deps.sights.fleet.sight(book, this.deps.clock.nowMs())
  }

  /** The migrations for people. */
  fleetViews(book: Book): readonly FleetView[] {
    return this.deps.sights.fleet.views(book, this.deps.clock.nowMs())
  }

  /** The newest reading of a target; undefined: it was not read yet. */
  targetReading(id: string): TargetReading | undefined {
    return this.targets.get(id)
  }

  /** What one rollout may know now. */
  observationOf({ state, plan }: Subject<Standing>, facts: readonly WorkloadFact[], fleet: FleetSight): Observation {
    const nowMs = this.nowMs()
    const slis = plan.slis.map((spec): [string, SliReading] => [
      spec.name,
      this.deps.slis.reading(plan, spec, state.judgeSinceMs),
    ])
    return {
      facts,
      targets: this.underWay.believed({ state, plan }, this.targets),
      writes: this.writesOf(plan),
      slis: Object.fromEntries(slis),
      probes: this.probes.get(plan.workload) ?? {},
      dependencies: Object.fromEntries(plan.after.map((name) => [name, fleet.phases.get(name) ?? null])),
      ...sightOf(this.deps.sights, { plan }, fleet.readings.get(plan.workload) ?? FREE, nowMs),
    }
  }

  /** Forgets reports that a commit has made durable. */
  writesTold(reports: readonly WriteReport[]): void {
    const told = new Set(reports)
    for (const { targetId } of reports) {
      const left = this.writes.get(targetId)?.filter((report) => !told.has(report)) ?? []
      if (left.length > 0) this.writes.set(targetId, left)
      else this.writes.delete(targetId)
    }
  }

  private writesOf(plan: Plan): readonly WriteReport[] {
    return plan.targets.flatMap(({ id }) => this.writes.get(id) ?? [])
  }

  private async probeAll(subjects: readonly Subject<Standing>[], signal: AbortSignal): Promise<void> {
    const queue = subjects.flatMap(({ plan }) => plan.probes.map((spec) => ({ workload: plan.workload, spec })))
    const worker = async () => {
      for (let next = queue.pop(); next; next = queue.pop()) await this.probeOnce(next.workload, next.spec, signal)
    }
    await Promise.all(Array.from({ length: Math.min(PROBES_AT_ONCE, queue.length) }, worker))
  }

  private async probeOnce(workload: string, spec: ProbeSpec, signal: AbortSignal): Promise<void> {
    const atMs = this.deps.clock.nowMs()
    const seconds = this.deps.timer()
    const late = () => missing('timeout', 'no time was left in this sweep')
    const ask = (side: Side) =>
      signal.aborted ? late() : byDeadline(this.deps.prober.probe(spec, side, signal), signal, late)
    const fields = () => ({ 'headgate.workload': workload, 'headgate.probe': spec.name })
    const [old, fresh] = await this.deps.tracer.span('headgate.probe', fields, async (span) => {
      const outcomes = await Promise.all([ask('old'), ask('new')])
      if (outcomes[1]?.kind === 'missing') span.fail(`${outcomes[1].why}: ${outcomes[1].detail}`)
      return outcomes
    })
    this.deps.meter.call('probe', workload, seconds(), fresh?.kind === 'passed')
    this.keepRound(workload, spec.name, { atMs, outcome: { old, new: fresh } })
  }

  private async readSynthetics(subjects: readonly Subject<Standing>[], signal: AbortSignal): Promise<void> {
    const { synthetics, clock } = this.deps
    const specs = subjects.flatMap(({ plan }) => plan.synthetics.map((spec) => ({ workload: plan.workload, spec })))
    await mapBounded(specs, PROBES_AT_ONCE, async ({ workload, spec }) =>
      this.keepRound(workload, spec.name, await readRound(spec, synthetics, clock, signal)),
    )
  }

  private keepRound(workload: string, name: string, round: ProbeReading): void {
    this.probes.set(workload, { ...this.probes.get(workload), [name]: round })
  }
}
