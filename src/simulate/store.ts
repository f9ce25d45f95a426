import { type ProblemCode, problem } from '../core/problem.ts'
import { MAIN_SHARD, type ShardPorts, type StorePorts } from '../ports/store.ts'
import type { StoredRow } from '../shared/journal-chain.ts'
import { Memory } from './memory.ts'

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
  | 'join'
  | 'look'
  | 'read'
  | 'lastSeq'
  | 'cursor'
  | 'afterCursor'

export interface MemoryStore extends StorePorts {
  /** The next call that comes to this point fails, once; several calls of this queue up. */
  failNext(point: FailPoint, code?: ProblemCode): void
  /** Opens the ports again after a `close`, as a new process would: what was durable is there. */
  reopen(): void
  /** What is there, past the ports. */
  inspect(): Pick<Memory, 'shardNames' | 'shardOf' | 'shardsOf' | 'rollouts'>
  /** Changes the journal past the ports, as somebody with a hand on the file can. */
  tamper(edit: (rows: readonly StoredRow[]) => readonly StoredRow[]): void
}

/** The ports in memory, with the meaning of the SQLite ones, and shards with that of Redis. What goes in or out is copied, as by a disk. */
export function createMemoryStore(): MemoryStore {
  const memory = new Memory()
  const failures: { point: FailPoint; code: ProblemCode }[] = []

  const reach = (point: FailPoint) => {
    const index = failures.findIndex((failure) => failure.point === point)
    const [failure] = index < 0 ? [] : failures.splice(index, 1)
    if (failure) throw problem(failure.code, `the test failed ${point}`)
  }
  /** Of what is made for the caller alone. */
  const ask = <T>(point: FailPoint, work: () => T): T => {
    reach(point)
    if (memory.isClosed) throw problem('STORE_UNAVAILABLE', 'the store was closed')
    return work()
  }
  const call = <T>(point: FailPoint, work: () => T, after?: FailPoint): T => {
    const result = copy(ask(point, work))
    if (after) reach(after)
    return result
  }

  const shardPorts = (name: string): ShardPorts => ({
    store: {
      lease: async (owner, nowMs, ttlMs) => ask('lease', () => memory.shard(name).takeLease(owner, nowMs, ttlMs)),
      release: async (lease) => ask('release', () => memory.release(name, lease)),
      load: async () => call('load', () => memory.load(name)),
      commit: async (commit) => call('commit', () => memory.commit(name, copy(commit)), 'afterCommit'),
    },
    inbox: { pending: async (limit) => call('pending', () => memory.pending(name, limit)) },
  })
  const main = shardPorts(MAIN_SHARD)

  return {
    store: {
      ...main.store,
      runId: async () => call('load', () => memory.runId()),
      close: async () => {
        memory.isClosed = true
      },
    },
    inbox: {
      ...main.inbox,
      put: async (fact) => call('put', () => memory.put(copy(fact)), 'afterPut'),
      putAll: async (facts) => call('put', () => facts.map((fact) => memory.put(copy(fact))), 'afterPut'),
    },
    shards: {
      join: async (households) => call('join', () => memory.join(copy(households))),
      look: async (replica, nowMs, ttlMs) => ask('look', () => memory.look(replica, nowMs, ttlMs)),
      leave: async (replica) => ask('look', () => void memory.replicas.delete(replica)),
      of: shardPorts,
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
    inspect: () => memory,
    tamper: (edit) => {
      memory.journal.stored = [...edit(memory.journal.stored)]
    },
  }
}

const copy = <T>(value: T): T => structuredClone(value)
