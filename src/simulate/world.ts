import { Account } from './account.ts'
import { Chance } from './chance.ts'
import { createFakeClock, type FakeClock } from './clock.ts'
import { configOf, EDITED_NAMES, type SimulatedConfig, STEADY_NAMES, type Version } from './config.ts'
import type { InvariantName, Violation } from './invariants.ts'
import { Jobs } from './jobs.ts'
import { Judge } from './judge.ts'
import { Ledger } from './ledger.ts'
import { Outside } from './outside.ts'
import { People } from './people.ts'
import { Process, type Surroundings } from './process.ts'
import { Provider, type ProviderDeps } from './provider.ts'
import { createMemoryStore, type MemoryStore } from './store.ts'
import { Truth } from './truth.ts'
import { type StoreSabotage, StoreWatch } from './watch.ts'
import { Fences } from './way.ts'

const START_MS = Date.UTC(2026, 0, 5, 9)

/** What may go wrong, or be said. */
export const FAULTS = [
  ...([
    'kill',
    'killAtCall',
    'stop',
    'freeze',
    'isolate',
    'strand',
    'overtake',
    'store',
    'provider',
    'source',
    'jump',
    'close',
    'reload',
  ] as const),
  ...(['edit', 'workload', 'command', 'alert'] as const),
] as const
export type FaultName = (typeof FAULTS)[number]

/** What a seed chooses before anything happens. */
export interface WorldOptions {
  readonly config: string
  readonly replicas: number
  /** The store goes by its own clock, and each replica has one of its own; else all share one. */
  readonly hasOwnClocks: boolean
  /** The provider's account takes only so many calls. */
  readonly hasQuota: boolean
  /** Workloads whose NEW fails half of its requests throughout. */
  readonly harmed: readonly string[]
  /** What happens more often than all else; null: nothing does. */
  readonly prefers: FaultName | null
}

/** What a test of the simulator itself breaks, to see that the break is found. */
export interface Sabotage extends StoreSabotage {
  readonly distort?: ProviderDeps['distort']
  /** What happens more often than all else, whatever the seed says. */
  readonly prefers?: FaultName
  /** The config, whatever the seed says. */
  readonly config?: string
  /** Done when all has come to rest, right before the last look. */
  readonly atEnd?: (world: World) => void
}

/** Everything that is there beside the processes, and the processes: all of one seed. */
export class World {
  readonly clock: FakeClock = createFakeClock(START_MS)
  readonly chance: Chance
  readonly options: WorldOptions
  readonly config: SimulatedConfig
  readonly memory: MemoryStore = createMemoryStore()
  readonly truth: Truth
  readonly outside: Outside
  readonly provider: Provider
  readonly ledger: Ledger
  readonly judge: Judge
  readonly processes: readonly Process[]
  readonly people: People
  readonly editedAtMs = new Map<string, number>()
  readonly violations: Violation[] = []
  /** Edits of the config that have come. */
  private edits = 0
  /** By shard: when its last sweep was committed, of those that were ever swept. */
  readonly sweptAtMs = new Map<string, number>()
  /** What the seed did, for the trace. */
  readonly deeds: { readonly atMs: number; readonly text: string }[] = []

  constructor(seed: number, sabotage: Sabotage = {}) {
    this.chance = new Chance(seed)
    const drawn = drawOptions(this.chance)
    const { prefers = drawn.prefers, config: name = drawn.config } = sabotage
    this.options = { ...drawn, prefers, config: name }
    this.config = configOf(name)
    const { clock, chance, config } = this
    const names = config.plans.map(({ workload }) => workload)
    this.truth = new Truth(clock, names)
    for (const name of this.options.harmed) this.truth.setBad(name, { old: 0, new: 50 })
    const report = (invariant: InvariantName, detail: string) => this.report(invariant, detail)
    this.outside = new Outside(chance)
    this.ledger = new Ledger(config.plans, report)
    this.judge = new Judge(this.ledger, clock, report)
    const watch = new StoreWatch({
      ...{ memory: this.memory, clock, ledger: this.ledger, workloads: names, hasOwnClock: drawn.hasOwnClocks },
      closedSinceMs: () => this.outside.closedSinceMs,
    })
    const account = new Account(clock)
    const { hasQuota } = drawn
    this.provider = new Provider(names, {
      ...{ clock, chance, hasQuota },
      onCall: (process) => {
        if (hasQuota && !account.spend(process)) report('quota-kept', `${process} makes a call that no quota allowed`)
      },
      onSent: (write) => {
        const percentOf = (workload: string) => this.provider.shares.get(workload)?.new ?? 0
        this.judge.sent(write, { percentOf, shards: this.memory.inspect().shardNames() })
      },
      onLanded: (landing) => {
        this.judge.landed(landing, this.options.hasOwnClocks ? watch.givenTokenFor(landing.place) : null)
        const { shares, trials } = this.provider
        const trial = trials.get(landing.place)
        const copiedPercent = trial?.kind === 'mirror' ? trial.percent : 0
        this.truth.setShare(landing.place, shares.get(landing.place)?.new ?? 0, copiedPercent)
      },
      ...(sabotage.distort && { distort: sabotage.distort }),
    })
    const surroundings: Surroundings = {
      ...{ clock, chance, truth: this.truth, outside: this.outside, fences: new Fences(), account },
      jobs: this.options.hasOwnClocks ? this.beginJobs() : null,
      ports: watch.ports(sabotage),
      onSent: (commit, aheadMs) => watch.sent(commit, aheadMs),
      kindFor: (writer) => this.provider.kindFor(writer),
      onSwept: (shard) => this.sweptAtMs.set(shard, clock.nowMs()),
      onStopped: (replica) => {
        const left = this.memory.inspect().shardsOf(replica)
        if (left.length > 0) report('hands-over', `${replica} has stopped, and still has the lease of ${left}`)
      },
      onFault: (detail) => report('no-fault', detail),
    }
    const { replicas } = this.options
    this.processes = Array.from(
      { length: replicas },
      (_, index) => new Process(`p${index + 1}`, config.first, surroundings),
    )
    this.people = new People(clock, chance, this.processes)
  }

  get seconds(): number {
    return (this.clock.nowMs() - START_MS) / 1000
  }

  tell(text: string): void {
    this.deeds.push({ atMs: this.clock.nowMs(), text })
  }

  /** Somebody else writes. */
  edit(place: string, weightPercent: number): void {
    this.provider.edit(place, weightPercent)
    this.truth.setShare(place, weightPercent)
    this.editedAtMs.set(place, this.clock.nowMs())
  }

  /** The config is edited: each replica finds it on its disk some time later. null: it will be edited no more. */
  editConfig(): Version | null {
    const version = this.config.later[this.edits]
    if (version === undefined) return null
    this.edits += 1
    return version
  }

  secondsOf(atMs: number): number {
    return (atMs - START_MS) / 1000
  }

  private report(invariant: InvariantName, detail: string): void {
    this.violations.push({ invariant, detail, atSeconds: this.seconds })
  }

  private beginJobs(): Jobs {
    const jobs = new Jobs(this.clock, this.chance)
    void jobs.run()
    return jobs
  }
}

function drawOptions(chance: Chance): WorldOptions {
  const config = chance.one(chance.is(0.4) ? EDITED_NAMES : STEADY_NAMES)
  const { plans, first } = configOf(config)
  return {
    config,
    replicas: chance.whole(1, 3),
    // What shares its work out is not for one machine.
    hasOwnClocks: first.fleets.length > 1 || chance.is(0.6),
    hasQuota: chance.is(0.3),
    harmed: plans.map(({ workload }) => workload).filter(() => chance.is(0.12)),
    prefers: chance.is(0.6) ? chance.one(FAULTS) : null,
  }
}
