import type { JournalRow } from '../core/event.ts'
import { householdsOf } from '../core/household.ts'
import type { Plan } from '../core/plan.ts'
import { Problem, type ProblemJson, problem } from '../core/problem.ts'
import type { Standing } from '../core/state.ts'
import type { ShardStand } from '../ports/control.ts'
import type { Clock, Log } from '../ports/runtime.ts'
import { type Look, MAIN_SHARD, type Shards } from '../ports/store.ts'
import { type Follower, Followers } from './followers.ts'
import type { Subject } from './observe.ts'
import { hasBegun, isFree, isHeldBy, type OwnRoom, type Room, standsOf } from './room.ts'
import { divided, fairShare, inOrderOf } from './share-out.ts'
import { Turns } from './turns.ts'
import { type Window, Windows } from './windows.ts'

/** Between two looks at what the other replicas do, ms: a shard that is given up is taken within it. */
const LOOK_MS = 500
/**
 * How long a replica counts as alive after its last look, ms. Shorter than a lease: when the shards of one that has died are free, it is
 * no longer reckoned with.
 */
const ALIVE_MS = 5_000

/** A shard as this process sees it: by its own work, or as the store had it last. */
export interface SeenShard extends Window {
  readonly shard: string
  /** This process works on it. */
  readonly isOwn: boolean
}

export interface ShardKeeperDeps {
  readonly shards: Shards
  /** Names this replica, as its leases do. */
  readonly replica: string
  readonly open: (shard: string) => Room
  readonly see: (shard: string) => Window
  /** Wakes whoever has the shard, where that is another process. */
  readonly wake: (shard: string) => void
  readonly clock: Clock
  readonly log: Log
}

export interface Configured {
  readonly plans: readonly Plan[]
  readonly hash: string
}

/**
 * Has this replica's share of the shards, each in an engine of its own: takes those that are free, gives up what is more than its
 * share, drops what another one has taken. The leases say who may decide; this only sees to it that somebody does.
 */
export class ShardKeeper {
  private readonly deps: ShardKeeperDeps
  private readonly own = new Map<string, OwnRoom>()
  /** Rooms that end: their shards are not taken again before. */
  private readonly ending = new Map<string, Promise<void>>()
  private readonly windows: Windows
  private readonly followers: Followers
  private readonly stopping = new AbortController()
  private readonly fault = Promise.withResolvers<never>()
  private readonly begun = Promise.withResolvers<void>()
  private config: Configured
  private shardOf: ReadonlyMap<string, string> = new Map()
  private newest: Look | null = null
  private isJoined = false
  private knownSeq = 0
  private readonly turns = new Turns()
  private reading: Promise<void> | null = null
  private trouble: ProblemJson | null = problem('STORE_UNAVAILABLE', 'the store has not been looked at yet', {
    hint: 'wait for the first look',
  }).toJSON()

  constructor(config: Configured, deps: ShardKeeperDeps) {
    this.config = config
    this.deps = deps
    this.followers = new Followers(deps.log)
    this.windows = new Windows(deps.shards, deps.see)
    // Whoever runs this hears of it.
    this.fault.promise.catch(() => {})
  }

  /** Works until `stop`; rejects on a fault that no engine can live with. */
  async run(): Promise<void> {
    const { signal } = this.stopping
    while (!signal.aborted) {
      await this.turns.take(() => this.settle()).catch((error: unknown) => this.noteTrouble(error))
      await Promise.race([this.deps.clock.sleep(LOOK_MS, signal), this.fault.promise])
    }
  }

  /** Resolves when this replica has begun to work on a shard, or has found that others have all of them; or when it is stopped. */
  get hasBegun(): Promise<void> {
    return this.begun.promise
  }

  /** Gives all shards up in order, so that others take them at once. */
  async stop(reason: string): Promise<void> {
    this.stopping.abort()
    this.begun.resolve()
    await this.turns.idle
    await this.deps.shards.leave(this.deps.replica).catch((error: unknown) => this.noteTrouble(error))
    for (const room of this.own.values()) this.dismiss(room, reason)
    await Promise.all(this.ending.values())
  }

  /** Takes a new config: shards that it brings together are merged, and those that this replica has follow it. Throws STORE_…. */
  configure(plans: readonly Plan[], hash: string): Promise<void> {
    return this.turns.take(async () => {
      const households = householdsOf(plans)
      // Given up before they are merged: else nobody would have what comes of them before the leases would have ended.
      const merged = new Set(households.flatMap((household) => divided(household, this.shardOf)))
      for (const room of this.own.values()) if (merged.has(room.shard)) this.dismiss(room, 'its shard is merged')
      await Promise.all([...merged].map((shard) => this.ending.get(shard)))
      this.shardOf = (await this.deps.shards.join(households)).shardOf
      for (const room of this.own.values()) {
        if (room.hash === null) throw problem('STORE_BUSY', `the shard ${room.shard} is being taken over`)
        if (room.hash !== hash) await room.engine.configure(this.plansOf(room.shard, plans), hash)
        room.hash = hash
      }
      this.config = { plans, hash }
    })
  }

  /** Journals a config that was refused, once: whoever has the main shard does. */
  async rejectConfig(problems: readonly ProblemJson[]): Promise<void> {
    await this.own.get(MAIN_SHARD)?.engine.rejectConfig(problems)
  }

  /** The shards that this process knows; those of others as of the last `refresh`, and so those that it has not loaded itself yet. */
  seen(): readonly SeenShard[] {
    const own = [...this.own.values()].filter(hasBegun)
    const others = this.windows.entries().filter(([shard]) => !this.isLoaded(shard))
    return [
      ...own.map(({ shard, engine: { book }, observer }) => ({ shard, book, observer, isOwn: true })),
      ...others.map(([shard, window]) => ({ shard, ...window, isOwn: false })),
    ]
  }

  private isLoaded(shard: string): boolean {
    const room = this.own.get(shard)
    return room !== undefined && hasBegun(room)
  }

  /** Reads what other replicas have committed since. What cannot be read stays as it was: `notReady` says why. */
  refresh(): Promise<void> {
    const isOwn = (shard: string) => this.isLoaded(shard)
    const plansOf = (shard: string) => this.plansOf(shard, this.config.plans)
    this.reading ??= this.windows
      .refresh({ looked: this.newest?.shards ?? [], isOwn, plansOf })
      .catch((error: unknown) => this.noteTrouble(error))
      .finally(() => {
        this.reading = null
      })
    return this.reading
  }

  /** What this replica decides about: nobody has newer states of it. */
  decided(): readonly Subject<Standing>[] {
    const held = [...this.own.values()].filter(({ lease }) => lease.heldToken() !== null)
    return held.flatMap(({ engine }) => engine.book.subjects())
  }

  /** The plan of a workload, as this process knows it; null: it knows none. */
  planOf(workload: string): Plan | null {
    const found = this.seen().flatMap(({ book }) => book.planFor(workload) ?? [])
    return found[0] ?? this.config.plans.find((plan) => plan.workload === workload) ?? null
  }

  shardOfMigration(migration: string): string {
    return this.shardOf.get(migration) ?? MAIN_SHARD
  }

  /** Whether this replica does what one of all has to do. */
  isLeading(): boolean {
    return (this.own.get(MAIN_SHARD)?.lease.heldToken() ?? null) !== null
  }

  /** Whether this replica, and no other, decides about the workload now. */
  decides(workload: string): boolean {
    return (this.own.get(this.shardOfWorkload(workload))?.lease.heldToken() ?? null) !== null
  }

  /** Has these workloads thought about at once, whoever decides about them. */
  urgent(workloads: readonly string[]): void {
    const elsewhere = new Set<string>()
    for (const [shard, names] of Map.groupBy(workloads, (workload) => this.shardOfWorkload(workload))) {
      const room = this.own.get(shard)
      if (room) room.wakeups.urgent(names)
      else elsewhere.add(shard)
    }
    for (const shard of elsewhere) this.deps.wake(shard)
  }

  private shardOfWorkload(workload: string): string {
    const seen = this.seen().find(({ book }) => book.planFor(workload) !== null)
    const plan = this.config.plans.find((one) => one.workload === workload)
    return seen?.shard ?? (plan ? this.shardOfMigration(plan.migration) : MAIN_SHARD)
  }

  /** End of the newest sweep here; null: there was none yet. */
  get lastSweepAtMs(): number | null {
    const all = this.stands().flatMap(({ lastSweepAtMs }) => lastSweepAtMs ?? [])
    return all.length === 0 ? null : Math.max(...all)
  }

  /** All shards that this replica knows of, also those that nobody has. */
  stands(): readonly ShardStand[] {
    return standsOf(this.newest?.shards ?? [], this.own)
  }

  /** Why this replica cannot do its share now; empty: all is well. */
  notReady(): readonly ProblemJson[] {
    const all = [this.trouble ?? [], ...[...this.own.values()].map(({ engine }) => engine.notReady())].flat()
    return [...new Map(all.map((one) => [JSON.stringify(one), one])).values()]
  }

  /**
   * Calls the follower after each commit, until the returned function is called. Without rows: there are some in the journal, of another
   * replica, or of a commit whose answer was lost.
   */
  onCommit(follower: Follower): () => void {
    return this.followers.add(follower)
  }

  private tell(rows: readonly JournalRow[]): void {
    this.knownSeq = Math.max(this.knownSeq, rows.at(-1)?.seq ?? 0)
    this.followers.tell(rows)
  }

  /** Looks, and brings what this replica has nearer to its share. */
  private async settle(): Promise<void> {
    const { shards, replica, clock } = this.deps
    if (!this.isJoined) await shards.join(householdsOf(this.config.plans))
    this.isJoined = true
    const look = await shards.look(replica, clock.nowMs(), ALIVE_MS)
    this.trouble = null
    this.newest = look
    this.shardOf = look.shardOf
    const ordered = inOrderOf(replica, look.shards)
    for (const room of this.own.values())
      if (!isHeldBy(room, look.shards)) this.dismiss(room, 'its lease went to another replica')
    const share = fairShare(look)
    const surplus = ordered.flatMap(({ shard }) => this.own.get(shard) ?? []).slice(share)
    for (const room of surplus) this.dismiss(room, 'handed over to another replica')
    const free = ordered.filter(({ shard }) => !this.own.has(shard) && !this.ending.has(shard))
    for (const one of free) if (this.own.size < share && isFree(one, replica)) await this.take(one.shard)
    if (look.journalSeq > this.knownSeq) {
      this.knownSeq = look.journalSeq
      this.tell([])
    }
    if (this.own.size === 0) this.begun.resolve()
  }

  private async take(shard: string): Promise<void> {
    const opened = this.deps.open(shard)
    try {
      await opened.lease.hold()
    } catch (error) {
      await opened.engine.stop('it was not begun')
      if (error instanceof Problem && error.code === 'STORE_LEASE_HELD') return
      throw error
    }
    const room: OwnRoom = { ...opened, shard, stopping: new AbortController(), hash: null }
    this.own.set(shard, room)
    room.engine.onCommit((rows) => this.tell(rows))
    this.work(room, this.config).catch(this.fault.reject)
  }

  private async work(room: OwnRoom, { plans, hash }: Configured): Promise<void> {
    await room.engine.start(this.plansOf(room.shard, plans), hash, room.stopping.signal)
    if (room.stopping.signal.aborted) return
    room.hash = hash
    this.windows.close(room.shard)
    this.begun.resolve()
    await room.engine.run()
  }

  private dismiss(room: OwnRoom, reason: string): void {
    const { shard, engine, stopping } = room
    this.deps.log.info({ shard, reason }, 'this replica gives a shard up')
    this.own.delete(shard)
    stopping.abort()
    const ended = engine
      .stop(reason)
      .catch((error: unknown) => this.noteTrouble(error))
      .finally(() => this.ending.delete(shard))
    this.ending.set(shard, ended)
  }

  private plansOf(shard: string, plans: readonly Plan[]): readonly Plan[] {
    return plans.filter(({ migration }) => this.shardOfMigration(migration) === shard)
  }

  private noteTrouble(error: unknown): void {
    if (error instanceof Problem) {
      this.trouble = error.toJSON()
      this.deps.log.warn({ problem: error.toJSON() }, 'the shards could not be looked at')
    } else this.fault.reject(error)
  }
}
