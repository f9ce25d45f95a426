import type { HeadgateEvent, JournalRow } from '../core/event.ts'
import type { Fact } from '../core/observation.ts'
import type { Plan } from '../core/plan.ts'
import type { RolloutState } from '../core/state.ts'
import type { JournalHead, JournalVerdict } from '../shared/journal-chain.ts'

/**
 * Durable state of all rollouts, in one place with the journal and the inbox, so that a commit is one transaction.
 * Every method may throw STORE_BUSY, STORE_UNAVAILABLE or STORE_LOST.
 */
export interface Store {
  /**
   * Takes or renews the shard's lease until `nowMs + ttlMs`; a store that several machines share goes by its own clock instead,
   * because theirs differ. A new owner gets a greater token; renewing keeps it.
   * Throws STORE_LEASE_HELD while another owner's lease lasts.
   */
  lease(owner: string, nowMs: number, ttlMs: number): Promise<Lease>
  /** Gives the lease up, if it is still held with this token. */
  release(lease: Lease): Promise<void>
  /** The migration run that the first of the rollouts names; null: there is none yet. */
  runId(): Promise<string | null>
  /** Everything, as of one revision. */
  load(): Promise<Snapshot>
  /** Durable when it resolves. Throws STORE_CONFLICT when the revision or the token is not the newest. */
  commit(commit: Commit): Promise<Committed>
  close(): Promise<void>
}

/** All that a store is to its users, on one connection. `store.close` closes all. */
export interface StorePorts {
  readonly store: Store
  readonly inbox: Inbox
  readonly journal: Journal
  readonly cursors: Cursors
}

export interface Lease {
  readonly owner: string
  /** Fencing token: rises with each change of owner. */
  readonly token: number
}

export interface Snapshot {
  readonly revision: number
  readonly rollouts: readonly RolloutState[]
  /** By hash: the plans that rollouts have pinned. */
  readonly plans: ReadonlyMap<string, Plan>
}

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

/** Facts on their way to a step. */
export interface Inbox {
  /** Durable when it resolves. False: a fact with this id was there before, consumed or not. */
  put(fact: Fact): Promise<boolean>
  /** The same for many, in one transaction: all of them or none. */
  putAll(facts: readonly Fact[]): Promise<readonly boolean[]>
  /** The oldest facts that no commit has consumed. */
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
