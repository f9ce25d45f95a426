import type { Clock } from '../ports/runtime.ts'
import type { Commit, Inbox, ShardStore, Shards } from '../ports/store.ts'
import type { Ledger } from './ledger.ts'
import type { MemoryStore } from './store.ts'
import type { SharedStore } from './way.ts'

/** How a test of the simulator itself breaks the store. */
export interface StoreSabotage {
  readonly inbox?: (inbox: Inbox) => Inbox
  readonly store?: (store: ShardStore) => ShardStore
}

export interface WatchDeps {
  readonly memory: MemoryStore
  readonly clock: Clock
  readonly ledger: Ledger
  /** The store goes by its own clock. */
  readonly hasOwnClock: boolean
  readonly workloads: readonly string[]
  /** Since when the calendar is closed, the world's time in ms; null: it is open. */
  readonly closedSinceMs: () => number | null
}

/** The store, with an eye on what it does: what becomes durable goes into the ledger at that moment. */
export class StoreWatch {
  /** By shard: the newest lease that was given. */
  private readonly givenTokens = new Map<string, number>()
  /** By how much the clock of whoever sent a commit was ahead when it was sent, ms. */
  private readonly aheadMs = new WeakMap<Commit, number>()
  private readonly deps: WatchDeps

  constructor(deps: WatchDeps) {
    this.deps = deps
  }

  /** A commit is sent: it may be long on its way. */
  sent(commit: Commit, aheadMs: number): void {
    this.aheadMs.set(commit, aheadMs)
  }

  /** Of the newest lease of whatever decides about the workload; 0: nobody has had one. */
  givenTokenFor(workload: string): number {
    return this.givenTokens.get(this.deps.memory.inspect().shardOf(workload)) ?? 0
  }

  /** The store as a process reaches it when all is well. */
  ports(sabotage: StoreSabotage): SharedStore {
    const { memory } = this.deps
    const { shards } = memory
    return {
      shards: {
        ...shards,
        join: (households) => this.join(households),
        look: (replica, nowMs, ttlMs) => shards.look(replica, this.timeOf(nowMs), ttlMs),
        of: (shard) => {
          const { store, inbox } = shards.of(shard)
          const watched = this.watched(shard, store)
          return { store: sabotage.store?.(watched) ?? watched, inbox }
        },
      },
      inbox: this.noted(sabotage.inbox?.(memory.inbox) ?? memory.inbox),
    }
  }

  private timeOf(callersMs: number): number {
    return this.deps.hasOwnClock ? this.deps.clock.nowMs() : callersMs
  }

  private readonly join: Shards['join'] = async (households) => {
    const { memory, workloads } = this.deps
    const inside = memory.inspect()
    const before = workloads.map((workload) => inside.shardOf(workload))
    const layout = await memory.shards.join(households)
    // Of what comes of shards that are merged nobody has a lease yet.
    for (const [index, workload] of workloads.entries()) {
      const [from = '', into] = [before[index], inside.shardOf(workload)]
      if (from !== into && !inside.shardNames().includes(from)) this.givenTokens.delete(into)
    }
    return layout
  }

  private noted(inbox: Inbox): Inbox {
    const { ledger } = this.deps
    const putAll: Inbox['putAll'] = async (facts) => {
      const begun = facts.map(({ workload }) => ledger.hasBegun(workload))
      const areNew = await inbox.putAll(facts)
      for (const [index, { id }] of facts.entries()) if (begun[index] && areNew[index]) ledger.noteKnown(id)
      return areNew
    }
    return { ...inbox, put: async (fact) => (await putAll([fact]))[0] === true, putAll }
  }

  private watched(shard: string, store: ShardStore): ShardStore {
    const { clock, ledger, memory, closedSinceMs } = this.deps
    return {
      ...store,
      lease: async (owner, nowMs, ttlMs) => {
        const lease = await store.lease(owner, this.timeOf(nowMs), ttlMs)
        this.givenTokens.set(shard, lease.token)
        return lease
      },
      commit: async (commit) => {
        const committed = await store.commit(commit)
        const decides = (workload: string) => memory.inspect().shardOf(workload) === shard
        const aheadMs = this.aheadMs.get(commit) ?? 0
        ledger.take(commit, clock.nowMs(), { aheadMs, closedSinceMs: closedSinceMs(), decides })
        return committed
      },
    }
  }
}
