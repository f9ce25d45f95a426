import type { Fact } from '../core/observation.ts'
import type { Plan } from '../core/plan.ts'
import { type ProblemCode, problem } from '../core/problem.ts'
import type { RolloutState } from '../core/state.ts'
import type { Commit, Committed, Cursor, Cursors, Inbox, Journal, Store } from '../ports/store.ts'
import type { StoredRow } from '../shared/journal-chain.ts'
import { MemoryJournal } from './journal.ts'

/** `after…`: the work is done and durable, but the caller never hears of it. The others: nothing is done. */
export type FailPoint =
  | 'lease'
  | 'release'
  | 'load'
  | 'commit'
  | 'afterCommit'
  | 'put'
  | 'afterPut'
  | 'pending'
  | 'read'
  | 'lastSeq'
  | 'cursor'
  | 'afterCursor'

export interface MemoryStore {
  readonly store: Store
  readonly inbox: Inbox
  readonly journal: Journal
  readonly cursors: Cursors
  /** The next call that comes to this point fails, once; several calls of this queue up. */
  failNext(point: FailPoint, code?: ProblemCode): void
  /** Opens the ports again after a `close`, as a new process would: what was durable is there. */
  reopen(): void
  /** Changes the journal past the ports, as somebody with a hand on the file can. */
  tamper(edit: (rows: readonly StoredRow[]) => readonly StoredRow[]): void
}

/** The ports in memory, with the meaning of the SQLite ones. What goes in or out is copied, as by a disk. */
export function createMemoryStore(): MemoryStore {
  const memory = new Memory()
  const failures: { point: FailPoint; code: ProblemCode }[] = []

  const reach = (point: FailPoint) => {
    const index = failures.findIndex((failure) => failure.point === point)
    const [failure] = index < 0 ? [] : failures.splice(index, 1)
    if (failure) throw problem(failure.code, `the test failed ${point}`)
  }
  const call = <T>(point: FailPoint, work: () => T, after?: FailPoint): T => {
    reach(point)
    if (memory.isClosed) throw problem('STORE_UNAVAILABLE', 'the store was closed')
    const result = copy(work())
    if (after) reach(after)
    return result
  }

  return {
    store: {
      lease: async (owner, nowMs, ttlMs) => call('lease', () => memory.takeLease(owner, nowMs, ttlMs)),
      release: async ({ owner, token }) => call('release', () => memory.release(owner, token)),
      runId: async () => call('load', () => memory.load().rollouts[0]?.runId ?? null),
      load: async () => call('load', () => memory.load()),
      commit: async (commit) => call('commit', () => memory.commit(copy(commit)), 'afterCommit'),
      close: async () => {
        memory.isClosed = true
      },
    },
    inbox: {
      put: async (fact) => call('put', () => memory.put(copy(fact)), 'afterPut'),
      putAll: async (facts) => call('put', () => facts.map((fact) => memory.put(copy(fact))), 'afterPut'),
      pending: async (limit) => call('pending', () => memory.pending(limit)),
    },
    journal: {
      read: async ({ afterSeq, limit, workload }) =>
        call('read', () => memory.journal.read({ afterSeq, limit, ...(workload !== undefined && { workload }) })),
      lastSeq: async () => call('lastSeq', () => memory.journal.head.seq),
      head: async () => call('lastSeq', () => memory.journal.head),
      verify: async (expected) => {
        call('read', () => null)
        return memory.journal.verify(expected)
      },
    },
    cursors: {
      read: async (channel) => call('cursor', () => memory.cursors.get(channel) ?? null),
      write: async (cursor) =>
        call('cursor', () => void memory.cursors.set(cursor.channel, copy(cursor)), 'afterCursor'),
    },
    failNext: (point, code = 'STORE_UNAVAILABLE') => void failures.push({ point, code }),
    reopen: () => {
      memory.isClosed = false
    },
    tamper: (edit) => {
      memory.journal.stored = [...edit(memory.journal.stored)]
    },
  }
}

class Memory {
  isClosed = false
  readonly journal = new MemoryJournal()
  readonly cursors = new Map<string, Cursor>()
  readonly #rollouts = new Map<string, RolloutState>()
  readonly #plans = new Map<string, Plan>()
  readonly #facts = new Map<string, { fact: Fact; isConsumed: boolean }>()
  #revision = 0
  #lease: { owner: string | null; token: number; untilMs: number } = { owner: null, token: 0, untilMs: 0 }

  takeLease(owner: string, nowMs: number, ttlMs: number) {
    const held = this.#lease
    if (held.owner !== null && held.owner !== owner && held.untilMs > nowMs)
      throw problem('STORE_LEASE_HELD', `${held.owner} holds the lease`)
    const token = held.owner === owner ? held.token : held.token + 1
    this.#lease = { owner, token, untilMs: nowMs + ttlMs }
    return { owner, token }
  }

  release(owner: string, token: number): void {
    if (this.#lease.owner === owner && this.#lease.token === token) this.#lease = { ...this.#lease, owner: null }
  }

  load() {
    const rollouts = [...this.#rollouts.values()]
    const pinned = new Set(rollouts.map(({ planHash }) => planHash))
    return {
      revision: this.#revision,
      rollouts,
      plans: new Map([...this.#plans].filter(([hash]) => pinned.has(hash))),
    }
  }

  /** Refuses before it changes anything. */
  commit({ lease, revision, plans, rollouts, events, consumedFactIds }: Commit): Committed {
    if (this.#lease.owner !== lease.owner || this.#lease.token !== lease.token)
      throw problem('STORE_CONFLICT', 'the lease went to another')
    if (this.#revision !== revision) throw problem('STORE_CONFLICT', `the store has revision ${this.#revision}`)
    const facts = consumedFactIds.map((id) => this.#facts.get(id))
    if (new Set(facts).size < facts.length || facts.some((entry) => !entry || entry.isConsumed))
      throw problem('STORE_CONFLICT', 'a fact is not waiting any more')
    const known = new Set<string | null>([null, ...this.#plans.keys(), ...plans.map(({ hash }) => hash)])
    if (rollouts.some(({ planHash }) => !known.has(planHash)))
      throw problem('STORE_UNAVAILABLE', 'a rollout names a plan that is not there')

    for (const plan of plans) if (!this.#plans.has(plan.hash)) this.#plans.set(plan.hash, plan)
    for (const state of rollouts) this.#rollouts.set(state.workload, state)
    const rows = this.journal.append(events)
    for (const entry of facts) if (entry) entry.isConsumed = true
    this.#revision += 1
    return { revision: this.#revision, rows }
  }

  put(fact: Fact): boolean {
    if (this.#facts.has(fact.id)) return false
    this.#facts.set(fact.id, { fact, isConsumed: false })
    return true
  }

  pending(limit: number): readonly Fact[] {
    const waiting = [...this.#facts.values()].filter(({ isConsumed }) => !isConsumed)
    return waiting.slice(0, limit).map(({ fact }) => fact)
  }
}

const copy = <T>(value: T): T => structuredClone(value)
