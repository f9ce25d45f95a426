import type { Household } from '../core/household.ts'
import type { Fact } from '../core/observation.ts'
import type { Plan } from '../core/plan.ts'
import { problem } from '../core/problem.ts'
import type { RolloutState } from '../core/state.ts'
import {
  type Commit,
  type Committed,
  type Cursor,
  type Layout,
  type Lease,
  type Look,
  MAIN_SHARD,
  type Snapshot,
} from '../ports/store.ts'
import { changeOf, type Laid, shardOfWorkload } from '../store/layout.ts'
import { MemoryJournal } from './journal.ts'

interface HeldLease {
  owner: string | null
  token: number
  untilMs: number
}

/** One shard, as it is remembered. */
class MemoryShard {
  revision = 0
  lease: HeldLease = { owner: null, token: 0, untilMs: 0 }

  takeLease(owner: string, nowMs: number, ttlMs: number): Lease {
    const held = this.lease
    if (held.owner !== null && held.owner !== owner && held.untilMs > nowMs)
      throw problem('STORE_LEASE_HELD', `${held.owner} holds the lease`)
    const token = held.owner === owner ? held.token : held.token + 1
    this.lease = { owner, token, untilMs: nowMs + ttlMs }
    return { owner, token }
  }

  release({ owner, token }: Lease): void {
    if (this.lease.owner === owner && this.lease.token === token) this.lease = { ...this.lease, owner: null }
  }

  /** Takes in another one: nobody has the lease before both would have ended. */
  takeIn(other: MemoryShard): void {
    const untilMs = [this, other].map(({ lease }) => (lease.owner === null ? 0 : lease.untilMs))
    this.revision += other.revision + 1
    this.lease = {
      owner: 'whoever had a part of it',
      token: Math.max(this.lease.token, other.lease.token) + 1,
      untilMs: Math.max(...untilMs),
    }
  }
}

/** What a store of several shards holds. */
export class Memory {
  isClosed = false
  readonly journal = new MemoryJournal()
  readonly cursors = new Map<string, Cursor>()
  /** By name: until when it lives. */
  readonly replicas = new Map<string, number>()
  readonly #shards = new Map([[MAIN_SHARD, new MemoryShard()]])
  readonly #rollouts = new Map<string, RolloutState>()
  readonly #plans = new Map<string, Plan>()
  /** With the shard that it was put into. */
  readonly #facts = new Map<string, { fact: Fact; isConsumed: boolean; shard: string }>()
  readonly #shardOf = new Map<string, string>()
  readonly #homes = new Map<string, string>()
  #epoch = 0

  shard(name: string): MemoryShard {
    const found = this.#shards.get(name)
    if (!found) throw problem('STORE_LEASE_HELD', `there is no shard ${name} any more`)
    return found
  }

  release(name: string, lease: Lease): void {
    this.#shards.get(name)?.release(lease)
  }

  runId(): string | null {
    const first = [...this.#shards.keys()].flatMap((name) => this.#rolloutsOf(name))[0]
    return first?.runId ?? null
  }

  load(name: string): Snapshot {
    const rollouts = this.#rolloutsOf(name)
    const pinned = new Set(rollouts.map(({ planHash }) => planHash))
    return {
      revision: this.#shards.get(name)?.revision ?? 0,
      rollouts,
      plans: new Map([...this.#plans].filter(([hash]) => pinned.has(hash))),
    }
  }

  /** Refuses before it changes anything. */
  commit(name: string, { lease, revision, plans, rollouts, events, consumedFactIds }: Commit): Committed {
    const shard = this.#shards.get(name)
    if (shard?.lease.owner !== lease.owner || shard.lease.token !== lease.token)
      throw problem('STORE_CONFLICT', 'the lease went to another')
    if (shard.revision !== revision) throw problem('STORE_CONFLICT', `the store has revision ${shard.revision}`)
    const facts = consumedFactIds.map((id) => this.#facts.get(id))
    if (
      new Set(facts).size < facts.length ||
      facts.some((entry) => entry?.isConsumed !== false || entry.shard !== name)
    )
      throw problem('STORE_CONFLICT', 'a fact is not waiting any more')
    const known = new Set<string | null>([null, ...this.#plans.keys(), ...plans.map(({ hash }) => hash)])
    if (rollouts.some(({ planHash }) => !known.has(planHash)))
      throw problem('STORE_UNAVAILABLE', 'a rollout names a plan that is not there')
    if (rollouts.some(({ workload }) => this.#home(workload) !== name))
      throw problem('STORE_CONFLICT', 'a rollout belongs to another shard')

    for (const plan of plans) if (!this.#plans.has(plan.hash)) this.#plans.set(plan.hash, plan)
    for (const state of rollouts) this.#rollouts.set(state.workload, state)
    const rows = this.journal.append(events)
    for (const entry of facts) if (entry) entry.isConsumed = true
    shard.revision += 1
    return { revision: shard.revision, rows }
  }

  put(fact: Fact): boolean {
    if (this.#facts.has(fact.id)) return false
    this.#facts.set(fact.id, { fact, isConsumed: false, shard: this.#home(fact.workload) })
    return true
  }

  pending(name: string, limit: number): readonly Fact[] {
    const waiting = [...this.#facts.values()].filter(({ isConsumed, shard }) => !isConsumed && shard === name)
    return waiting.slice(0, limit).map(({ fact }) => fact)
  }

  join(households: readonly Household[]): Layout {
    const change = changeOf(this.#laid(), households)
    if (change !== null) {
      for (const name of change.made) this.#shards.set(name, new MemoryShard())
      for (const { from, into } of change.merges) {
        this.shard(into).takeIn(this.shard(from))
        this.#shards.delete(from)
        for (const entry of this.#facts.values()) if (entry.shard === from) entry.shard = into
      }
      for (const [workload, migration] of change.homes) this.#homes.set(workload, migration)
      for (const [migration, shard] of change.shardOf) this.#shardOf.set(migration, shard)
      this.#epoch += 1
    }
    return { epoch: this.#epoch, shardOf: new Map(this.#shardOf) }
  }

  look(replica: string, nowMs: number, ttlMs: number): Look {
    this.replicas.set(replica, nowMs + ttlMs)
    for (const [name, untilMs] of this.replicas) if (untilMs <= nowMs) this.replicas.delete(name)
    const shards = [...this.#shards].map(
      ([
        shard,
        {
          revision,
          lease: { owner, token, untilMs },
        },
      ]) => ({
        ...{ shard, revision, lease: owner === null ? null : { owner, token } },
        heldForMs: owner === null ? 0 : Math.max(0, untilMs - nowMs),
      }),
    )
    const replicas = [...this.replicas.keys()]
    return { epoch: this.#epoch, shardOf: new Map(this.#shardOf), shards, replicas, journalSeq: this.journal.head.seq }
  }

  shardNames(): readonly string[] {
    return [...this.#shards.keys()]
  }

  /** Those whose lease this owner has, or had when it ended. */
  shardsOf(owner: string): readonly string[] {
    return [...this.#shards].flatMap(([name, { lease }]) => (lease.owner === owner ? [name] : []))
  }

  shardOf(workload: string): string {
    return this.#home(workload)
  }

  rollouts(): readonly RolloutState[] {
    return [...this.#rollouts.values()]
  }

  #rolloutsOf(name: string): readonly RolloutState[] {
    return [...this.#rollouts.values()].filter(({ workload }) => this.#home(workload) === name)
  }

  #home(workload: string | null): string {
    return shardOfWorkload({ homes: this.#homes, shardOf: this.#shardOf }, workload)
  }

  #laid(): Laid {
    const inMain = new Set(this.#rolloutsOf(MAIN_SHARD).map(({ workload }) => workload))
    return { epoch: this.#epoch, shardOf: this.#shardOf, homes: this.#homes, shards: [...this.#shards.keys()], inMain }
  }
}
