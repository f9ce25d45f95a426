import { problem } from '../core/problem.ts'
import type { Layout, Look, ShardLook, Shards } from '../ports/store.ts'
import { changeOf, type Laid, type LayoutChange } from './layout.ts'
import { pairsOf } from './redis-archive.ts'
import type { SeenHead } from './redis-head.ts'
import { createRedisShard, type LeaseTime, texts } from './redis-shard.ts'
import { JOIN, LEAVE, LOOK } from './redis-shard-scripts.ts'
import { damaged } from './rows.ts'

/** So often a change of the layout is thought again because another came first. */
const MOST_TRIES = 20

/** How replicas share a store in Redis. */
export function createRedisShards(seen: SeenHead, leaseTime: LeaseTime): Shards {
  const { shards, layout, homes, replicas, ofShard } = seen.keys
  const empty = ofShard('')
  const join: Shards['join'] = async (households) => {
    for (let tries = 0; tries < MOST_TRIES; tries++) {
      const laid = await readLaid(seen)
      const change = changeOf(laid, households)
      if (change === null) return { epoch: laid.epoch, shardOf: laid.shardOf }
      const args = [laid.epoch, empty.shard, empty.order, empty.inbox, ...argsOf(change)]
      const [word] = await seen.write(JOIN, [shards, layout, homes], args)
      if (word === 'ok') return { epoch: laid.epoch + 1, shardOf: new Map([...laid.shardOf, ...change.shardOf]) }
    }
    throw problem('STORE_BUSY', `the layout of the shards was changed ${MOST_TRIES} times meanwhile`)
  }
  return {
    join,
    look: async (replica, nowMs, ttlMs) => {
      const time = leaseTime === 'redis' ? '' : nowMs
      const args = [replica, ttlMs, time, empty.shard]
      const [, ...answers] = await seen.write(LOOK, [shards, layout, replicas], args)
      return lookOf(answers)
    },
    leave: async (replica) => void (await seen.write(LEAVE, [replicas], [replica])),
    of: (shard) => createRedisShard(seen, shard, leaseTime),
  }
}

/** The layout as it stands, with the names of the shards. */
export async function readLaid(seen: SeenHead): Promise<Laid> {
  const { head, shards, layout, homes, ofShard } = seen.keys
  const { answers } = await seen.read((multi) =>
    multi
      .hget(head, 'epoch')
      .zrange(shards, '0', '-1')
      .hgetall(layout)
      .hgetall(homes)
      .zrange(ofShard('main').order, '0', '-1'),
  )
  return {
    epoch: Number(answers[0]),
    shards: texts(answers[1]),
    shardOf: new Map(pairsOf(answers[2])),
    homes: new Map(pairsOf(answers[3])),
    inMain: new Set(texts(answers[4])),
  }
}

function argsOf({ made, merges, homes, shardOf }: LayoutChange): readonly (string | number)[] {
  return [
    ...[made.length, merges.length, homes.size],
    ...made,
    ...merges.flatMap(({ from, into }) => [from, into]),
    ...[...homes].flat(),
    ...[...shardOf].flat(),
  ]
}

function lookOf([epoch, journalSeq, replicas, layout, shards]: readonly unknown[]): Look {
  const layoutOf: Layout['shardOf'] = new Map(
    tuples(layout, 2).map(([migration = '', shard = '']) => [migration, shard]),
  )
  return {
    epoch: Number(epoch),
    journalSeq: Number(journalSeq),
    replicas: texts(replicas),
    shardOf: layoutOf,
    shards: tuples(shards, 5).map(shardLook),
  }
}

function shardLook(fields: readonly string[]): ShardLook {
  const [shard, revision, owner, token, heldForMs] = fields
  if (shard === undefined || owner === undefined) throw damaged('a shard', 'is not whole')
  return {
    shard,
    revision: Number(revision),
    lease: owner === '' ? null : { owner, token: Number(token) },
    heldForMs: Number(heldForMs),
  }
}

function tuples(answer: unknown, size: number): readonly (readonly string[])[] {
  const all = texts(answer)
  return Array.from({ length: all.length / size }, (_, index) => all.slice(index * size, (index + 1) * size))
}
