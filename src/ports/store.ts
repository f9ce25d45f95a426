import type { HeadgateEvent, JournalRow } from '../core/event.ts'
import type { Household } from '../core/household.ts'
import type { Fact } from '../core/observation.ts'
import type { Plan } from '../core/plan.ts'
import type { RolloutState } from '../core/state.ts'
import type { JournalHead, JournalVerdict } from '../shared/journal-chain.ts'

/** The shard that a store always has: what belongs to no migration is its own, and the first migration is. */
export const MAIN_SHARD = 'main'

/**
 * Durable state of a shard's rollouts, in one place with the journal and the inbox, so that a commit is one transaction.
 * Every method may throw STORE_BUSY, STORE_UNAVAILABLE or STORE_LOST.
 */
export interface ShardStore {
  /**
   * Takes or renews the shard's lease until `nowMs + ttlMs`; a store that several machines share goes by its own clock instead,
   * because theirs differ. A new owner gets a greater token; renewing keeps it.
   * Throws STORE_LEASE_HELD while another owner's lease lasts.
   */
  lease(owner: string, nowMs: number, ttlMs: number): Promise<Lease>
  /** Gives the lease up, if it is still held with this token. */
  release(lease: Lease): Promise<void>
  /**
   * Everything of the shard, as of one revision of it. A commit of this process that nobody has answered for is not carried out
   * after that. A store need not read plans that are `known`: a hash names one plan.
   */
  load(known?: PlansByHash): Promise<Snapshot>
  /** Durable when it resolves. Throws STORE_CONFLICT when the revision or the token is not the shard's newest. */
  commit(commit: Commit): Promise<Committed>
}

/** The store as a whole; as a shard it is the main one. */
export interface Store extends ShardStore {
  /** The migration run that the rollouts name; null: there is none yet. */
  runId(): Promise<string | null>
  close(): Promise<void>
}

/** All that a store is to its users, on one connection. `store.close` closes all. */
export interface StorePorts {
  readonly store: Store
  readonly inbox: Inbox
  readonly journal: Journal
  readonly cursors: Cursors
  readonly shards: Shards
}

/**
 * How the work is shared out among replicas. A shard is what must be thought of together, under one lease; a store that only one
 * process uses has the main one alone. Every method may throw STORE_BUSY, STORE_UNAVAILABLE or STORE_LOST.
 */
export interface Shards {
  /**
   * Sees to it that each household is within one shard. Shards are only ever made and merged, never split: what two configs say
   * one after the other holds for good, in either order. The rollouts and facts of a shard that was merged away go over in the same
   * transaction. Leases of the shards that were merged count no more, and the merged one has none before all of them would have ended.
   */
  join(households: readonly Household[]): Promise<Layout>
  /** Says that this replica lives, for `ttlMs`, and what all of them do. Times go as for a lease. */
  look(replica: string, nowMs: number, ttlMs: number): Promise<Look>
  /** Says that this replica ends. */
  leave(replica: string): Promise<void>
  /** The ports of a shard. One that is not there holds nothing, and nobody can have its lease: STORE_LEASE_HELD. */
  of(shard: string): ShardPorts
}

export interface ShardPorts {
  readonly store: ShardStore
  readonly inbox: Pick<Inbox, 'pending'>
}

export interface Layout {
  /** Rises with each change. */
  readonly epoch: number
  /** By migration: its shard. One that is not named is in the main one. */
  readonly shardOf: ReadonlyMap<string, string>
}

/** All shards as of one moment. */
export interface Look extends Layout {
  /** The main one first, then as they came. */
  readonly shards: readonly ShardLook[]
  /** Those that live, also the one that asked. */
  readonly replicas: readonly string[]
  /** The newest row of the journal. */
  readonly journalSeq: number
}

export interface ShardLook {
  readonly shard: string
  readonly revision: number
  /** Whose lease it is, and its token; null: it was never taken, or was given up. */
  readonly lease: Lease | null
  /** For how long others have to wait for the lease, ms; 0: it is free. */
  readonly heldForMs: number
}

export interface Lease {
  readonly owner: string
  /** Fencing token: rises with each change of owner. */
  readonly token: number
}

export interface Snapshot {
  readonly revision: number
  readonly rollouts: readonly RolloutState[]
  /** Those that rollouts have pinned. */
  readonly plans: PlansByHash
}

export type PlansByHash = ReadonlyMap<string, Plan>

export interface Commit {
  readonly lease: Lease
  /** The revision that the changes were thought from. */
  readonly revision: number
  readonly rollouts: readonly RolloutState[]
  /** Plans that were pinned now. */
  readonly plans: readonly Plan[]
  readonly events: readonly HeadgateEvent[]
  /** Ids of the inbox facts that this commit has taken in. */
  readonly consumedFactIds: readonly string[]
}

export interface Committed {
  readonly revision: number
  readonly rows: readonly JournalRow[]
}

/** Facts on their way to a step: each goes to the shard of its workload, and to the main one where that is not known. */
export interface Inbox {
  /** Durable when it resolves. False: a fact with this id was there before, consumed or not. */
  put(fact: Fact): Promise<boolean>
  /** The same for many, in one transaction: all of them or none. */
  putAll(facts: readonly Fact[]): Promise<readonly boolean[]>
  /** The oldest facts of the shard that no commit has consumed. */
  pending(limit: number): Promise<readonly Fact[]>
}

/** The append-only record. Its rows are chained by hash, in the commit that writes them (`shared/journal-chain.ts`). */
export interface Journal {
  /** Rows with `seq` > afterSeq, in order, at most `limit`. */
  read(query: JournalQuery): Promise<readonly JournalRow[]>
  /** The newest `seq`; 0: empty. */
  lastSeq(): Promise<number>
  /** The newest row's number and hash: noted down elsewhere, it shows a later rewriting of the whole journal. */
  head(): Promise<JournalHead>
  /** Reads every row and tells the first one that is not as it was written; `expected` must be part of the chain. */
  verify(expected: JournalHead | null): Promise<JournalVerdict>
}

export interface JournalQuery {
  readonly afterSeq: number
  readonly limit: number
  /** Only this workload's rows. */
  readonly workload?: string
}

/** How far each channel of notifications has come. Both methods may throw STORE_BUSY or STORE_UNAVAILABLE. */
export interface Cursors {
  /** null: this channel was never there. */
  read(channel: string): Promise<Cursor | null>
  /** Durable when it resolves. */
  write(cursor: Cursor): Promise<void>
}

export interface Cursor {
  /** The channel's name. */
  readonly channel: string
  /** The newest journal row that it needs no more. */
  readonly seq: number
  /** The last row of what is being told now; null: nothing is. */
  readonly upToSeq: number | null
  /** Of what is being told now: the notifications that were accepted, by id. */
  readonly accepted: readonly string[]
  /** Keys of incidents that it was told of, and that are not over, as of `seq`. */
  readonly open: readonly string[]
}
