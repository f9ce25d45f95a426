import { createHash } from 'node:crypto'
import type { Household } from '../core/household.ts'
import { type Look, MAIN_SHARD, type ShardLook } from '../ports/store.ts'

/** How many shards one of the replicas has at most, while all of them live. */
export function fairShare({ shards, replicas }: Pick<Look, 'shards' | 'replicas'>): number {
  return Math.ceil(shards.length / Math.max(1, replicas.length))
}

/**
 * The shards in the order in which this replica takes them, and gives up the last: each replica has another one, so that they seldom try
 * for the same. Who has the main shard keeps it.
 */
export function inOrderOf(replica: string, shards: readonly ShardLook[]): readonly ShardLook[] {
  const rank = ({ shard, lease }: ShardLook) =>
    shard === MAIN_SHARD && lease?.owner === replica
      ? ''
      : createHash('sha256').update(`${replica}\n${shard}`).digest('hex')
  return shards
    .map((one) => ({ one, place: rank(one) }))
    .toSorted((a, b) => (a.place < b.place ? -1 : 1))
    .map(({ one }) => one)
}

/** The shards that this household is spread over by now; empty: it is within one. */
export function divided({ migrations }: Household, shardOf: ReadonlyMap<string, string>): readonly string[] {
  const shards = new Set(migrations.flatMap((migration) => shardOf.get(migration) ?? []))
  return shards.size > 1 ? [...shards] : []
}
