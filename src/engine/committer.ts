import type { JournalRow } from '../core/event.ts'
import type { Plan } from '../core/plan.ts'
import { Problem } from '../core/problem.ts'
import type { Log, Meter } from '../ports/runtime.ts'
import type { Committed, Lease, ShardStore } from '../ports/store.ts'
import type { Book } from './book.ts'
import { type Follower, Followers } from './followers.ts'
import type { LeaseKeeper } from './lease.ts'
import type { Thought } from './think.ts'

export type Durable = Pick<Thought, 'states' | 'verdicts' | 'plans' | 'events' | 'consumedFactIds' | 'writes'>

export const NOTHING: Durable = {
  states: [],
  verdicts: new Map(),
  plans: [],
  events: [],
  consumedFactIds: [],
  writes: [],
}

export interface CommitterDeps {
  readonly store: ShardStore
  readonly lease: LeaseKeeper
  readonly log: Log
  readonly meter: Meter
  /** Called when the book was loaded: what is active may be another than before. */
  readonly onLoaded: () => void
  /** Called once for each commit that is durable, also when its answer was lost. */
  readonly onDurable: (durable: Durable) => void
}

/** Brings what was thought into the store, and keeps the book equal to it. Its callers take turns. */
export class Committer {
  private readonly book: Book
  private readonly deps: CommitterDeps
  private readonly followers: Followers
  /** The lease under which the book was last equal to the store; null: it may differ. */
  private loadedUnder: number | null = null
  /** A commit that nobody has answered for: it may be durable. */
  private doubt: { readonly token: number; readonly revision: number; readonly durable: Durable } | null = null

  constructor(book: Book, deps: CommitterDeps) {
    this.book = book
    this.deps = deps
    this.followers = new Followers(deps.log)
  }

  /**
   * Takes the lease, and loads the book where it may differ from the store: after a failed commit, and after somebody
   * else may have held the lease. True: a commit whose answer was lost turned out to be durable. `plans` are a config's that is
   * about to be taken. Throws STORE_….
   */
  async catchUp(plans: readonly Plan[] = []): Promise<boolean> {
    const { token } = await this.deps.lease.hold()
    if (token === this.loadedUnder) return false
    const snapshot = await this.deps.store.load(this.book.known(plans))
    this.book.load(snapshot)
    this.loadedUnder = token
    this.deps.onLoaded()
    const { doubt } = this
    this.doubt = null
    // Nobody but the holder of this very lease can have made the next revision.
    if (doubt === null || doubt.token !== token || doubt.revision + 1 !== snapshot.revision) return false
    this.book.judged(doubt.durable.verdicts)
    this.deps.onDurable(doubt.durable)
    // The rows are in the journal, without their numbers being known here: who follows it is told to look.
    this.tell([])
    return true
  }

  /** Durable when it resolves. Throws STORE_…: then nothing of it is, or `catchUp` finds out that it was. */
  async commit(durable: Durable): Promise<void> {
    const { states, plans, events, consumedFactIds } = durable
    const lease = await this.deps.lease.hold()
    if (states.length + events.length + consumedFactIds.length === 0) return
    const revision = this.book.revision
    const request = { lease, revision, rollouts: states, plans, events, consumedFactIds }
    let committed: Committed
    try {
      committed = await this.deps.store.commit(request)
    } catch (error) {
      if (await this.wasDurable({ lease, revision, durable }, error)) return
      throw error
    }
    this.book.committed(committed.revision, states, plans)
    this.book.judged(durable.verdicts)
    this.deps.onDurable(durable)
    this.tell(committed.rows)
  }

  /** Calls the follower after each commit, until the returned function is called. */
  onCommit(follower: Follower): () => void {
    return this.followers.add(follower)
  }

  /** A refusal is one; after any other failure only the store knows. It is asked at once, and else before the next thought. */
  private async wasDurable(asked: { lease: Lease; revision: number; durable: Durable }, error: unknown) {
    const { lease, revision, durable } = asked
    this.loadedUnder = null
    const isRefused = error instanceof Problem && error.code === 'STORE_CONFLICT'
    if (!isRefused) this.doubt = { token: lease.token, revision, durable }
    try {
      return await this.catchUp()
    } catch (loadError) {
      this.deps.log.warn({ error: loadError }, 'the store does not say what it holds')
      return false
    }
  }

  private tell(rows: readonly JournalRow[]): void {
    if (rows.length > 0) this.deps.meter.events(rows)
    this.followers.tell(rows)
  }
}
