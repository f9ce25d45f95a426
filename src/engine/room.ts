import type { Wakeups } from '../ports/runtime.ts'
import type { ShardLook } from '../ports/store.ts'
import type { Engine } from './engine.ts'
import type { LeaseKeeper } from './lease.ts'
import type { Observer } from './observe.ts'

/** What a shard is worked on with. */
export interface Room {
  readonly engine: Engine
  readonly lease: LeaseKeeper
  readonly wakeups: Wakeups
  readonly observer: Observer
}

/** A room that this process works in. */
export interface OwnRoom extends Room {
  readonly shard: string
  readonly stopping: AbortController
  /** The config that it goes by; null: it has not begun yet. */
  hash: string | null
}

/** Whether its book has what the store holds. */
export function hasBegun({ hash }: OwnRoom): boolean {
  return hash !== null
}

/** Whether the lease is still this room's, as all shards were looked at. */
export function isHeldBy({ shard, lease }: OwnRoom, looked: readonly ShardLook[]): boolean {
  const found = looked.find((one) => one.shard === shard)
  return lease.token !== null && found?.lease?.token === lease.token
}
