import { Problem, problem } from '../core/problem.ts'
import type { RedisConfig } from '../policy/config.ts'
import type { Cursors, Inbox, Lease, Snapshot, Store } from '../ports/store.ts'
import type { ArchivedStore } from './archive.ts'
import { createRedisArchive, pairsOf } from './redis-archive.ts'
import { checkServer } from './redis-check.ts'
import { applyCommit } from './redis-commit.ts'
import { connectRedis, type RedisConnection } from './redis-connection.ts'
import { SeenHead } from './redis-head.ts'
import { createRedisJournal } from './redis-journal.ts'
import { type RedisKeys, redisKeys } from './redis-keys.ts'
import { CURSOR, FENCE, LEASE, OPEN, PUT, RELEASE } from './redis-scripts.ts'
import { damaged, readCursor, readFact, readPlan, readState } from './rows.ts'

/** The version of what stands under the prefix. */
const VERSION = '1'

export interface RedisDeps {
  readonly secret: (reference: string) => string
  /** The identity of a store that is made now; null: only one that is there is opened. */
  readonly newIdentity: (() => string) | null
  /**
   * Whose clock a lease goes by: that of Redis, because clocks of several machines differ; or the caller's `nowMs`, where time is
   * an input.
   */
  readonly leaseTime?: 'redis' | 'caller'
}

/** The ports on one Redis. */
export interface RedisStore extends ArchivedStore {
  /** Names this store for as long as it lasts: a new one has another. */
  readonly identity: string
  /** What an operator should know of this Redis; empty: nothing. */
  readonly advice: readonly string[]
}

/**
 * Connects to the store of several replicas, and makes it where there is none. Throws STORE_UNAVAILABLE, STORE_EVICTS, or STORE_VERSION
 * for a store of a newer Headgate. Its methods also throw STORE_LOST, where Redis does not hold any more what this process saw there.
 */
export async function openRedis(settings: RedisConfig, deps: RedisDeps): Promise<RedisStore> {
  const connection = await connectRedis(settings, deps.secret)
  try {
    const advice = await checkServer(connection)
    const keys = redisKeys(settings.prefix)
    const identity = await openIdentity(connection, keys, deps.newIdentity)
    const seen = new SeenHead(connection, keys, identity)
    return {
      identity,
      advice,
      store: createStore(connection, seen, deps.leaseTime ?? 'redis'),
      inbox: createInbox(seen),
      journal: createRedisJournal(seen),
      cursors: createCursors(seen),
      archive: createRedisArchive(seen),
    }
  } catch (error) {
    connection.close()
    throw error
  }
}

async function openIdentity(
  connection: RedisConnection,
  keys: RedisKeys,
  newIdentity: RedisDeps['newIdentity'],
): Promise<string> {
  const { head, journal, rollouts, order, plans, facts, inbox, consumed, cursors } = keys
  const all = [head, journal, rollouts, order, plans, facts, inbox, consumed, cursors]
  const made = newIdentity?.() ?? ''
  const [word, detail] = await connection.write(OPEN, all, [VERSION, made, newIdentity ? 1 : 0])
  const { place } = connection
  if (word === 'headless')
    throw problem('STORE_LOST', `Redis at ${place} has ${String(detail)}, but not ${head}: a part of the store is gone`)
  if (word === 'empty')
    throw problem('STORE_UNAVAILABLE', `Redis at ${place} holds no store under ${head}`, {
      hint: 'check the URL and the prefix; `headgate run` makes the store',
    })
  if (word === 'version')
    throw problem('STORE_VERSION', `the store in Redis at ${place} has version ${String(detail)}, not ${VERSION}`)
  const [identity] = await connection.read((multi) => multi.hget(head, 'identity'))
  if (typeof identity !== 'string') throw damaged('identity', 'is no text')
  return identity
}

function createStore(connection: RedisConnection, seen: SeenHead, leaseTime: 'redis' | 'caller'): Store {
  /** A commit was sent, and nobody knows what came of it. */
  let isInDoubt = false
  return {
    lease: (owner, nowMs, ttlMs) => takeLease(seen, owner, ttlMs, leaseTime === 'redis' ? '' : nowMs),
    release: async ({ owner, token }) => void (await seen.write(RELEASE, [], [owner, token])),
    runId: async () => firstRunId(seen),
    load: async () => {
      if (isInDoubt) await seen.write(FENCE, [], [])
      isInDoubt = false
      return loadSnapshot(seen)
    },
    commit: async (commit) => {
      const ready = await applyCommit(seen, commit)
      try {
        return await ready.send()
      } catch (error) {
        if (!(error instanceof Problem && error.code === 'STORE_CONFLICT')) isInDoubt = true
        throw error
      }
    },
    close: async () => connection.close(),
  }
}

async function takeLease(seen: SeenHead, owner: string, ttlMs: number, nowMs: number | ''): Promise<Lease> {
  const [word, first, second] = await seen.write(LEASE, [], [owner, ttlMs, nowMs])
  if (word === 'held')
    throw problem('STORE_LEASE_HELD', `${String(first)} holds the lease for another ${String(second)} ms`)
  return { owner, token: Number(first) }
}

async function firstRunId(seen: SeenHead): Promise<string | null> {
  const { rollouts, order } = seen.keys
  const [workload] = texts((await seen.read((multi) => multi.zrange(order, '0', '0'))).answers[0])
  if (workload === undefined) return null
  const [state = null] = await manyOf(seen, (multi) => multi.hmget(rollouts, workload))
  return readState({ workload, state }).runId
}

async function loadSnapshot(seen: SeenHead): Promise<Snapshot> {
  const { rollouts, order, plans } = seen.keys
  const { head, answers } = await seen.read((multi) => multi.zrange(order, '0', '-1').hgetall(rollouts))
  const [names, states] = [texts(answers[0]), new Map(pairsOf(answers[1]))]
  const loaded = names.map((workload) => readState({ workload, state: states.get(workload) ?? null }))
  const hashes = [...new Set(loaded.flatMap(({ planHash }) => planHash ?? []))]
  const stored = hashes.length === 0 ? [] : await manyOf(seen, (multi) => multi.hmget(plans, ...hashes))
  return {
    revision: head.revision,
    rollouts: loaded,
    plans: new Map(hashes.map((hash, index) => [hash, readPlan({ hash, plan: stored[index] ?? null })])),
  }
}

/** Like the facts below, plans never change: they need not be read as of the same moment. */
async function manyOf(seen: SeenHead, command: Parameters<SeenHead['read']>[0]): Promise<readonly (string | null)[]> {
  const { answers } = await seen.read(command)
  return Array.isArray(answers[0]) ? answers[0] : []
}

function createInbox(seen: SeenHead): Inbox {
  const { facts, inbox } = seen.keys
  const putAll: Inbox['putAll'] = async (all) => {
    const args = all.flatMap((fact) => [fact.id, JSON.stringify(fact)])
    const [, ...answers] = await seen.write(PUT, [facts, inbox], args)
    return answers.map((answer) => answer === 1)
  }
  return {
    putAll,
    put: async (fact) => (await putAll([fact]))[0] === true,
    pending: async (limit) => {
      if (limit < 1) return []
      const { answers } = await seen.read((multi) => multi.zrange(inbox, '0', String(limit - 1)))
      const ids = texts(answers[0])
      if (ids.length === 0) return []
      const stored = await manyOf(seen, (multi) => multi.hmget(facts, ...ids))
      return ids.map((id, index) => readFact({ id, fact: stored[index] ?? null }))
    },
  }
}

function createCursors(seen: SeenHead): Cursors {
  const { cursors } = seen.keys
  return {
    read: async (channel) => {
      const { answers } = await seen.read((multi) => multi.hget(cursors, channel))
      const [cursor] = answers
      return typeof cursor === 'string' ? readCursor({ channel, cursor }) : null
    },
    write: async (cursor) => void (await seen.write(CURSOR, [cursors], [cursor.channel, JSON.stringify(cursor)])),
  }
}

function texts(answer: unknown): readonly string[] {
  return Array.isArray(answer) ? answer.map(String) : []
}
