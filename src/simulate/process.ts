import { Problem } from '../core/problem.ts'
import { createAlertIntake } from '../engine/alerts.ts'
import { Book } from '../engine/book.ts'
import { createControl } from '../engine/control.ts'
import type { Room } from '../engine/room.ts'
import { ShardKeeper } from '../engine/shard-keeper.ts'
import type { Window } from '../engine/windows.ts'
import type { AlertIntake } from '../ports/alerts.ts'
import type { Control } from '../ports/control.ts'
import type { Clock, Log, Meter, Random, Wakeups } from '../ports/runtime.ts'
import { type Commit, MAIN_SHARD } from '../ports/store.ts'
import { NO_TRACER } from '../ports/tracer.ts'
import type { TrafficKind } from '../ports/traffic.ts'
import { createTimerWakeups } from '../wake/timer.ts'
import { assemble, openEyes } from './assemble.ts'
import type { Chance } from './chance.ts'
import { OBSERVE_TIMEOUT_SECONDS, type SimulatedSettings, SWEEP_SECONDS, type Version } from './config.ts'
import type { Jobs } from './jobs.ts'
import { type Death, inboxOf, Life, shardsOf, sourceOf, trafficOf } from './life.ts'
import type { Outside } from './outside.ts'
import { createFakeMeter } from './runtime.ts'
import type { Truth } from './truth.ts'
import { type Fences, type SharedStore, Way } from './way.ts'

/** Between two tries to take a config that the store could not take, ms; as in `app.ts`. */
const RELOAD_AGAIN_MS = 5_000

export interface Surroundings {
  readonly clock: Clock
  readonly chance: Chance
  readonly truth: Truth
  readonly outside: Outside
  /** null: there are none, and nobody is woken but by its own clock. */
  readonly jobs: Jobs | null
  readonly fences: Fences
  /** The store as a process whose clock is right reaches it when all is well. */
  readonly ports: SharedStore
  /** A commit is sent by a process whose clock is so much ahead, ms. */
  readonly onSent: (commit: Commit, aheadMs: number) => void
  readonly kindFor: (writer: Writer) => TrafficKind<SimulatedSettings>
  /** A sweep of this shard was committed. */
  readonly onSwept: (shard: string) => void
  /** A replica has stopped in order, and had reached the store each time. */
  readonly onStopped: (replica: string) => void
  /** A fault of Headgate's own. */
  readonly onFault: (detail: string) => void
}

/** Who writes to the provider. */
export interface Writer {
  readonly process: string
  readonly shard: string
  /** Its fencing token now; null: it may not write. */
  readonly token: () => number | null
}

/** What there is of a process that runs. */
interface Running {
  /** Names it in leases. */
  readonly replica: string
  readonly keeper: ShardKeeper
  readonly control: Control
  readonly alerts: AlertIntake
}

/** One replica: it lives, dies, and is started again. */
export class Process {
  readonly way: Way
  /** By how much its clock is ahead of the world's, ms. */
  aheadMs = 0
  life = new Life()
  /** null: it does not run. */
  private parts: Running | null = null
  private starts = 0
  /** What lies on its disk. */
  private version: Version
  private inForce: Version
  /** Rules of migrations that went while it runs. */
  private gone: Version['fleets'] = []
  private isReloading = false
  readonly name: string
  private readonly world: Surroundings

  constructor(name: string, version: Version, world: Surroundings) {
    this.name = name
    this.world = world
    this.version = version
    this.inForce = version
    const onSent = (commit: Commit) => world.onSent(commit, this.aheadMs)
    this.way = new Way({ ...world, onSent })
    this.life.end()
  }

  get isRunning(): boolean {
    return this.parts !== null && !this.life.isOver
  }

  get running(): Running | null {
    return this.isRunning ? this.parts : null
  }

  start(): void {
    if (this.isRunning) return
    const { world } = this
    const life = new Life()
    this.life = life
    this.starts += 1
    this.inForce = this.version
    this.gone = []
    this.isReloading = false
    this.way.failures = 0
    const replica = `${this.name}#${this.starts}`
    const clock = life.clockOf(world.clock, () => this.aheadMs)
    const log = this.log(replica)
    const random = this.random(replica)
    const ports = this.way.over(world.ports)
    const shards = shardsOf(life, ports.shards)
    const inbox = inboxOf(life, ports.inbox)
    const rooms = this.rooms(replica, { life, clock, log, random, shards, inbox })
    const { plans, hash } = this.inForce
    const wake = (shard: string) => world.jobs?.look(shard)
    const keeper = new ShardKeeper({ plans, hash }, { shards, replica, clock, log, wake, ...rooms })
    const control = createControl({ desk: keeper, inbox, clock, random, about: () => this.about() })
    this.parts = { replica, keeper, control, alerts: createAlertIntake({ inbox, wakeups: keeper }) }
    keeper.run().catch((error: unknown) => world.onFault(`${replica} ended: ${describe(error)}`))
  }

  kill(): void {
    this.life.end()
  }

  dieAt(death: Death): void {
    this.life.endAt(death)
  }

  /** As SIGTERM does. */
  stop(): void {
    const { parts, life } = this
    if (!parts || life.isOver) return
    this.parts = null
    parts.keeper.stop('a simulated stop').then(
      () => {
        life.end()
        if (this.way.failures === 0) this.world.onStopped(parts.replica)
      },
      (error: unknown) => this.world.onFault(`${this.name} did not stop: ${describe(error)}`),
    )
  }

  /** Another config comes to its disk: one that runs takes it, one that does not begins with it. */
  async reload(version: Version): Promise<void> {
    this.version = version
    if (this.isReloading) return
    this.isReloading = true
    const { life, parts } = this
    while (parts && this.running === parts && this.inForce.hash !== this.version.hash) {
      if (!(await this.takes(parts.keeper, this.version)))
        await life.clockOf(this.world.clock, () => 0).sleep(RELOAD_AGAIN_MS)
    }
    if (this.life === life) this.isReloading = false
  }

  /** Whether it has this config now. */
  has(version: Version): boolean {
    return this.inForce.hash === version.hash
  }

  private async takes(keeper: ShardKeeper, version: Version): Promise<boolean> {
    try {
      await keeper.configure(version.plans, version.hash)
    } catch (error) {
      const isStore = error instanceof Problem && error.code.startsWith('STORE_')
      if (!isStore) this.world.onFault(`${this.name} took no config: ${describe(error)}`)
      return false
    }
    const names = new Set(version.fleets.map(({ migration }) => migration))
    this.gone = [...this.inForce.fleets, ...this.gone].filter(({ migration }) => !names.has(migration))
    this.inForce = version
    return true
  }

  private rooms(replica: string, own: OwnParts): { open: (shard: string) => Room; see: (shard: string) => Window } {
    const { world } = this
    const { truth, outside, jobs } = world
    const { life, clock, log, random, shards, inbox } = own
    const partsFor = (shard: string, meter: Meter) => ({
      ...{ clock, log, meter, tracer: NO_TRACER, sources: new Map([['sim', sourceOf(life, truth.source)]]) },
      prober: {
        probe: (...args: Parameters<Truth['prober']['probe']>) => life.call(() => truth.prober.probe(...args)),
        close: async () => {},
      },
      fleets: () => [...this.inForce.fleets, ...this.gone],
      tasks: outside.runnerFor(clock),
      calendar: outside.calendar,
      sweepSeconds: SWEEP_SECONDS,
      observeTimeoutSeconds: OBSERVE_TIMEOUT_SECONDS,
      isMain: shard === MAIN_SHARD,
    })
    const kindsFor = (shard: string, token: Writer['token']) => [
      trafficOf(life, world.kindFor({ process: replica, shard, token }), () => {}),
    ]
    return {
      open: (shard) => {
        const meter = createFakeMeter()
        meter.sweep = (_, outcome) => {
          if (outcome === 'committed') world.onSwept(shard)
        }
        const ports = shards.of(shard)
        const wakeups: Wakeups =
          jobs?.of(shard, life, clock) ?? createTimerWakeups(clock, SWEEP_SECONDS, { first: 'at once' })
        const room = assemble({
          ...{ ...partsFor(shard, meter), owner: replica, random, store: ports.store, wakeups },
          inbox: { ...inbox, ...ports.inbox },
          kinds: kindsFor(shard, () => room.lease.heldToken()),
          about: this.about(),
        })
        return room
      },
      see: (shard) => {
        const parts = { ...partsFor(shard, createFakeMeter()), kinds: kindsFor(shard, () => null) }
        return { book: new Book(), observer: openEyes(parts, null).observer }
      },
    }
  }

  private about() {
    const { fleets, hash } = this.inForce
    const migrations = fleets.map(({ migration, clusters }) => ({ migration, clusters }))
    return { version: 'simulated', migrations, configHash: hash, startedAtMs: 0, sweepSeconds: SWEEP_SECONDS }
  }

  private random(owner: string): Random {
    let count = 0
    return { next: () => this.world.chance.next(), id: () => `${owner}-${String(++count).padStart(20, '0')}` }
  }

  private log(owner: string): Log {
    const ignore = () => {}
    const error = (fields: object, message: string) => {
      const about = 'error' in fields ? describe(fields.error) : JSON.stringify(fields)
      this.world.onFault(`${owner}: ${message}: ${about}`)
    }
    return { debug: ignore, info: ignore, warn: ignore, error }
  }
}

interface OwnParts extends SharedStore {
  readonly life: Life
  readonly clock: Clock
  readonly log: Log
  readonly random: Random
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : JSON.stringify(error)
}
