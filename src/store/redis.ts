import { problem } from '../core/problem.ts'
import type { RedisConfig } from '../policy/config.ts'
import type { OpenAllowance } from '../ports/quota.ts'
import { type Cursors, type Inbox, MAIN_SHARD, type ShardStore, type Store } from '../ports/store.ts'
import type { ArchivedStore } from './archive.ts'
import { createRedisArchive } from './redis-archive.ts'
import { checkServer } from './redis-check.ts'
import { connectRedis, type RedisConnection } from './redis-connection.ts'
import { SeenHead } from './redis-head.ts'
import { createRedisJournal } from './redis-journal.ts'
import { type RedisKeys, redisKeys } from './redis-keys.ts'
import { createRedisAllowances, type RedisQuotaDeps } from './redis-quota.ts'
import { CURSOR, OPEN, PUT } from './redis-scripts.ts'
import { type LeaseTime, texts } from './redis-shard.ts'
import { createRedisShards } from './redis-shards.ts'
import { damaged, readCursor } from './rows.ts'
import { StateRows } from './state-rows.ts'

/** The version of what stands under the prefix. */
const VERSION = '3'

export interface RedisDeps {
  readonly secret: (reference: string) => string
  /** The identity of a store that is made now; null: only one that is there is opened. */
  readonly newIdentity: (() => string) | null
  /** Left out: that of Redis. */
  readonly leaseTime?: LeaseTime
}

/** The ports on one Redis. */
export interface RedisStore extends ArchivedStore {
  /** Names this store for as long as it lasts: a new one has another. */
  readonly identity: string
  /** What an operator should know of this Redis; empty: nothing. */
  readonly advice: readonly string[]
  /** The calls of provider accounts, counted for all replicas. */
  readonly allowances: (deps: RedisQuotaDeps) => OpenAllowance
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
    const shards = createRedisShards(seen, deps.leaseTime ?? 'redis')
    const main = shards.of(MAIN_SHARD)
    return {
      identity,
      advice,
      store: createStore(connection, seen, main.store),
      inbox: createInbox(seen, main.inbox.pending),
      shards,
      journal: createRedisJournal(seen),
      cursors: createCursors(seen),
      archive: createRedisArchive(seen),
      allowances: (quotaDeps) => createRedisAllowances(connection, settings.prefix, quotaDeps),
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
  const { head, journal, rollouts, tallies, shapes, plans, facts, consumed, cursors, shards, layout, homes } = keys
  const { shard, order, inbox } = keys.ofShard(MAIN_SHARD)
  const ofStates = [rollouts, tallies, shapes]
  const all = [head, shards, shard, journal, ...ofStates, order, plans, facts, inbox, consumed, cursors, layout, homes]
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

function createStore(connection: RedisConnection, seen: SeenHead, main: ShardStore): Store {
  return { ...main, runId: () => firstRunId(seen), close: async () => connection.close() }
}

async function firstRunId(seen: SeenHead): Promise<string | null> {
  const { rollouts, shards, ofShard } = seen.keys
  const names = texts((await seen.read((multi) => multi.zrange(shards, '0', '-1'))).answers[0])
  const { answers } = await seen.read((multi) =>
    names.reduce((commands, name) => commands.zrange(ofShard(name).order, '0', '0'), multi),
  )
  const [workload] = answers.flatMap(texts)
  if (workload === undefined) return null
  const [state] = (await seen.read((multi) => multi.hget(rollouts, workload))).answers
  return new StateRows().readStanding({ workload, state: typeof state === 'string' ? state : null }).runId
}

function createInbox(seen: SeenHead, pending: Inbox['pending']): Inbox {
  const { facts, homes, layout, ofShard } = seen.keys
  const putAll: Inbox['putAll'] = async (all) => {
    const args = all.flatMap((fact) => [fact.id, JSON.stringify(fact), fact.workload ?? ''])
    const [, ...answers] = await seen.write(PUT, [facts, homes, layout], [ofShard('').inbox, ...args])
    return answers.map((answer) => answer === 1)
  }
  return { putAll, put: async (fact) => (await putAll([fact]))[0] === true, pending }
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
