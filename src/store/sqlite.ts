import { setImmediate } from 'node:timers/promises'
import type { Fact } from '../core/observation.ts'
import type { Plan } from '../core/plan.ts'
import { problem } from '../core/problem.ts'
import type { RolloutState } from '../core/state.ts'
import {
  type Commit,
  type Committed,
  type Cursors,
  type Inbox,
  type Journal,
  type Lease,
  type Look,
  MAIN_SHARD,
  type PlansByHash,
  type ShardPorts,
  type Shards,
  type Snapshot,
  type Store,
} from '../ports/store.ts'
import { chainHash, type JournalHead, type ReadChain, verifyChain } from '../shared/journal-chain.ts'
import { createShare } from '../shared/share.ts'
import type { Archive, ArchivedStore } from './archive.ts'
import { type Connection, openReader, openWriter } from './connection.ts'
import { sharedPlan } from './fill.ts'
import {
  integer,
  type Row,
  readCursor,
  readFact,
  readJournalRow,
  readPlan,
  readStoredRow,
  text,
  textOrNull,
} from './rows.ts'
import { StateRows } from './state-rows.ts'
import type { Statements } from './statements.ts'

/**
 * Opens the SQLite file at `path`. Without options it is made where there is none, and brought to the present version;
 * with `readOnly`, for tools, nothing is created or changed, and the service may run meanwhile.
 *
 * Throws STORE_BUSY, STORE_UNAVAILABLE, or STORE_VERSION for a file of a newer Headgate.
 */
export function openSqlite(path: string, options: { readonly readOnly?: boolean } = {}): ArchivedStore {
  return portsOn(options.readOnly ? openReader(path) : openWriter(path))
}

/** The ports on one connection. */
export function portsOn(connection: Connection): ArchivedStore {
  const store = createStore(connection)
  const inbox = createInbox(connection)
  return {
    store,
    inbox,
    shards: createOneShard(connection, { store, inbox }),
    journal: createJournal(connection),
    cursors: createCursors(connection),
    archive: createArchive(connection),
  }
}

function createStore(connection: Connection): Store {
  const states = new StateRows()
  return {
    lease: async (owner, nowMs, ttlMs) => connection.write((sql) => takeLease(sql, owner, nowMs, ttlMs)),
    release: async (lease) => connection.write((sql) => void sql.dropLease.run(lease.owner, lease.token)),
    runId: async () => connection.read(({ runId }) => textOrNull(runId.get() ?? { runId: null }, 'runId')),
    load: async (known) => connection.read((sql) => loadSnapshot(sql, states, known)),
    commit: async (commit) => connection.write((sql) => applyCommit(sql, states, commit)),
    close: async () => connection.close(),
  }
}

/** A file is used by one process at a time: everything is in the main shard. */
function createOneShard(connection: Connection, main: ShardPorts): Shards {
  const look = (sql: Statements, replica: string, nowMs: number): Look => {
    const { revision, leaseOwner, leaseToken, leaseUntilMs, journal } = readHead(sql)
    const lease = leaseOwner === null ? null : { owner: leaseOwner, token: leaseToken }
    const heldForMs = lease === null ? 0 : Math.max(0, leaseUntilMs - nowMs)
    const shards = [{ shard: MAIN_SHARD, revision, lease, heldForMs }]
    return { epoch: 0, shardOf: new Map(), shards, replicas: [replica], journalSeq: journal.seq }
  }
  return {
    join: async () => ({ epoch: 0, shardOf: new Map() }),
    look: async (replica, nowMs) => connection.read((sql) => look(sql, replica, nowMs)),
    leave: async () => {},
    of: () => main,
  }
}

function createInbox(connection: Connection): Inbox {
  return {
    put: async (fact) => connection.write((sql) => putFact(sql, fact)),
    putAll: async (facts) => connection.write((sql) => facts.map((fact) => putFact(sql, fact))),
    pending: async (limit) => connection.read((sql) => sql.pendingFacts.all(limit).map(readFact)),
  }
}

function putFact(sql: Statements, fact: Fact): boolean {
  return sql.putFact.run(fact.id, JSON.stringify(fact)).changes === 1
}

function createCursors(connection: Connection): Cursors {
  return {
    read: async (channel) =>
      connection.read((sql) => {
        const row = sql.cursor.get(channel)
        return row ? readCursor(row) : null
      }),
    write: async (cursor) => connection.write((sql) => void sql.putCursor.run(cursor.channel, JSON.stringify(cursor))),
  }
}

function createArchive(connection: Connection): Archive {
  return {
    facts: async () =>
      connection.read((sql) =>
        sql.allFacts.all().map((row) => ({ fact: readFact(row), isConsumed: row['consumedRevision'] !== null })),
      ),
    cursors: async () => connection.read((sql) => sql.allCursors.all().map(readCursor)),
  }
}

function createJournal(connection: Connection): Journal {
  return {
    read: async ({ afterSeq, limit, workload }) =>
      connection.read((sql) => {
        const rows =
          workload === undefined ? sql.rows.all(afterSeq, limit) : sql.rowsOfWorkload.all(workload, afterSeq, limit)
        return rows.map(readJournalRow)
      }),
    lastSeq: async () => connection.read(readHead).journal.seq,
    head: async () => connection.read(readHead).journal,
    verify: (expected) => verifyChain(readChain(connection), expected),
  }
}

function readChain(connection: Connection): ReadChain {
  return async (afterSeq, limit) => {
    // A long journal must not keep the service from its work.
    await setImmediate()
    return connection.read((sql) => ({
      rows: sql.storedRows.all(afterSeq, limit).map(readStoredRow),
      head: readHead(sql).journal,
    }))
  }
}

interface Head {
  readonly revision: number
  readonly leaseOwner: string | null
  readonly leaseToken: number
  readonly leaseUntilMs: number
  readonly journal: JournalHead
}

function readHead(sql: Statements): Head {
  const row: Row | undefined = sql.head.get()
  return {
    revision: integer(row, 'revision'),
    leaseOwner: textOrNull(row, 'leaseOwner'),
    leaseToken: integer(row, 'leaseToken'),
    leaseUntilMs: integer(row, 'leaseUntilMs'),
    journal: { seq: integer(row, 'journalSeq'), hash: text(row, 'journalHash') },
  }
}

function takeLease(sql: Statements, owner: string, nowMs: number, ttlMs: number): Lease {
  const { leaseOwner, leaseToken, leaseUntilMs } = readHead(sql)
  const isOwn = leaseOwner === owner
  if (leaseOwner !== null && !isOwn && leaseUntilMs > nowMs)
    throw problem('STORE_LEASE_HELD', `${leaseOwner} holds the lease for another ${leaseUntilMs - nowMs} ms`)
  const token = isOwn ? leaseToken : leaseToken + 1
  sql.setLease.run(owner, token, nowMs + ttlMs)
  return { owner, token }
}

function loadSnapshot(sql: Statements, states: StateRows, known: PlansByHash = new Map()): Snapshot {
  // Row by row: the texts of a large fleet would be as much again as what is made of them.
  const rollouts: RolloutState[] = []
  const shapeOf = (hash: string) => textOrNull(sql.shape.get(hash) ?? { shape: null }, 'shape')
  for (const row of sql.rollouts.iterate()) rollouts.push(states.read(row, shapeOf))
  const share = createShare()
  const plans = new Map<string, Plan>()
  for (const { planHash } of rollouts) {
    if (planHash === null || plans.has(planHash)) continue
    plans.set(planHash, known.get(planHash) ?? sharedPlan(readPlan(sql.plan.get(planHash) ?? {}), share))
  }
  return { revision: readHead(sql).revision, rollouts, plans }
}

function applyCommit(sql: Statements, states: StateRows, commit: Commit): Committed {
  const head = readHead(sql)
  const { owner, token } = commit.lease
  // The token alone fences: a lease that ran out, but that nobody took since, harms nobody.
  if (head.leaseOwner !== owner || head.leaseToken !== token)
    throw problem('STORE_CONFLICT', `${owner} no longer holds the lease (token ${token} of ${head.leaseToken})`)
  if (head.revision !== commit.revision)
    throw problem('STORE_CONFLICT', `thought from revision ${commit.revision}, the store has ${head.revision}`)

  const revision = head.revision + 1
  for (const id of commit.consumedFactIds)
    if (sql.consumeFact.run(revision, id).changes !== 1)
      throw problem('STORE_CONFLICT', `fact ${id} is not waiting any more`)
  for (const plan of commit.plans) sql.putPlan.run(plan.hash, JSON.stringify(plan))
  putStates(sql, states, commit.rollouts)
  const { rows, journal } = appendEvents(sql, head.journal, commit.events)
  sql.setHead.run(revision, journal.seq, journal.hash)
  return { revision, rows }
}

function putStates(sql: Statements, states: StateRows, rollouts: Commit['rollouts']): void {
  const shapes = new Set<string>()
  for (const state of rollouts) {
    const { standing, tally, shape } = states.write(state)
    if (!shapes.has(shape.hash)) sql.putShape.run(shape.hash, shape.shape)
    shapes.add(shape.hash)
    sql.putRollout.run(state.workload, state.planHash, standing)
    sql.putTally.run(tally, state.workload)
  }
}

function appendEvents(sql: Statements, before: JournalHead, events: Commit['events']) {
  let journal = before
  const rows = events.map((event) => {
    // Counted here and not by SQLite, which would leave a gap after a commit that failed.
    const seq = journal.seq + 1
    const json = JSON.stringify(event)
    journal = { seq, hash: chainHash(journal.hash, seq, json) }
    sql.putEvent.run(seq, event.workload, json, journal.hash)
    return { seq, event }
  })
  return { rows, journal }
}
