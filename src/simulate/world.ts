import type { Commit, Inbox, Store } from '../ports/store.ts'
import { Chance } from './chance.ts'
import { createFakeClock, type FakeClock } from './clock.ts'
import { type Migration, migrationOf, VARIANT_NAMES } from './config.ts'
import type { InvariantName, Violation } from './invariants.ts'
import { Judge } from './judge.ts'
import { Ledger } from './ledger.ts'
import { Outside } from './outside.ts'
import { People } from './people.ts'
import { Process, type Surroundings } from './process.ts'
import { Provider, type ProviderDeps } from './provider.ts'
import { createMemoryStore, type MemoryStore } from './store.ts'
import { Truth } from './truth.ts'

const START_MS = Date.UTC(2026, 0, 5, 9)

/** What may go wrong, or be said. */
export const FAULTS = [
  ...([
    'kill',
    'killAtCall',
    'stop',
    'freeze',
    'isolate',
    'overtake',
    'store',
    'provider',
    'source',
    'jump',
    'close',
  ] as const),
  ...(['edit', 'workload', 'command', 'alert'] as const),
] as const
export type FaultName = (typeof FAULTS)[number]

/** What a seed chooses before anything happens. */
export interface WorldOptions {
  readonly migration: string
  readonly replicas: number
  /** The store goes by its own clock, and each replica has one of its own; else all share one. */
  readonly hasOwnClocks: boolean
  /** Workloads whose NEW fails half of its requests throughout. */
  readonly harmed: readonly string[]
  /** What happens more often than all else; null: nothing does. */
  readonly prefers: FaultName | null
}

/** What a test of the simulator itself breaks, to see that the break is found. */
export interface Sabotage {
  readonly distort?: ProviderDeps['distort']
  readonly inbox?: (inbox: Inbox) => Inbox
  readonly store?: (store: Store) => Store
  /** What happens more often than all else, whatever the seed says. */
  readonly prefers?: FaultName
  /** The migration, whatever the seed says. */
  readonly migration?: string
  /** Done when all has come to rest, right before the last look. */
  readonly atEnd?: (world: World) => void
}

/** Everything that is there beside the processes, and the processes: all of one seed. */
export class World {
  readonly clock: FakeClock = createFakeClock(START_MS)
  readonly chance: Chance
  readonly options: WorldOptions
  readonly migration: Migration
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
  private givenToken = 0
  /** What the seed did, for the trace. */
  readonly deeds: { readonly atMs: number; readonly text: string }[] = []

  constructor(seed: number, sabotage: Sabotage = {}) {
    this.chance = new Chance(seed)
    const drawn = drawOptions(this.chance)
    const { prefers = drawn.prefers, migration: name = drawn.migration } = sabotage
    this.options = { ...drawn, prefers, migration: name }
    this.migration = migrationOf(this.options.migration)
    const { clock, chance, migration } = this
    const names = migration.plans.map(({ workload }) => workload)
    this.truth = new Truth(clock, names)
    for (const name of this.options.harmed) this.truth.setBad(name, { old: 0, new: 50 })
    const report = (invariant: InvariantName, detail: string) => this.report(invariant, detail)
    this.outside = new Outside(chance)
    this.ledger = new Ledger(migration.plans, report)
    this.judge = new Judge(this.ledger, clock, report)
    this.provider = new Provider(names, {
      ...{ clock, chance },
      onSent: (write) => this.judge.sent(write, (name) => this.provider.shares.get(name)?.new ?? 0),
      onLanded: (landing) => {
        this.judge.landed(landing, this.options.hasOwnClocks ? this.givenToken : null)
        this.truth.setShare(landing.place, this.provider.shares.get(landing.place)?.new ?? 0)
      },
      ...(sabotage.distort && { distort: sabotage.distort }),
    })
    const surroundings: Surroundings = {
      ...{ clock, chance, migration, truth: this.truth, outside: this.outside },
      portsFor: (aheadMs) => this.portsFor(aheadMs, sabotage),
      kindFor: (process, tokenOf) => this.provider.kindFor(process, tokenOf),
      onFault: (detail) => report('no-fault', detail),
    }
    const { replicas } = this.options
    this.processes = Array.from({ length: replicas }, (_, index) => new Process(`p${index + 1}`, surroundings))
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

  secondsOf(atMs: number): number {
    return (atMs - START_MS) / 1000
  }

  private report(invariant: InvariantName, detail: string): void {
    this.violations.push({ invariant, detail, atSeconds: this.seconds })
  }

  private portsFor(aheadMs: () => number, sabotage: Sabotage): { store: Store; inbox: Inbox } {
    const { memory, options, clock, ledger } = this
    const store: Store = {
      ...memory.store,
      lease: async (owner, nowMs, ttlMs) => {
        const lease = await memory.store.lease(owner, options.hasOwnClocks ? clock.nowMs() : nowMs, ttlMs)
        this.givenToken = Math.max(this.givenToken, lease.token)
        return lease
      },
      commit: async (commit: Commit) => {
        const committed = await memory.store.commit(commit)
        ledger.take(commit, clock.nowMs(), { aheadMs: aheadMs(), closedSinceMs: this.outside.closedSinceMs })
        return committed
      },
    }
    return {
      store: sabotage.store?.(store) ?? store,
      inbox: sabotage.inbox?.(memory.inbox) ?? memory.inbox,
    }
  }
}

function drawOptions(chance: Chance): WorldOptions {
  const migration = chance.one(VARIANT_NAMES)
  return {
    migration,
    replicas: chance.whole(1, 3),
    hasOwnClocks: chance.is(0.6),
    harmed: migrationOf(migration)
      .plans.map(({ workload }) => workload)
      .filter(() => chance.is(0.12)),
    prefers: chance.is(0.6) ? chance.one(FAULTS) : null,
  }
}
