import type { ShardStand } from '../ports/control.ts'
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

/** How each shard stands that there is, as all were looked at, and each that has a room here. */
export function standsOf(looked: readonly ShardLook[], own: ReadonlyMap<string, OwnRoom>): readonly ShardStand[] {
  const names = new Set([...looked.map(({ shard }) => shard), ...own.keys()])
  return [...names].map((shard) => {
    const room = own.get(shard)
    const isHeld = (room?.lease.heldToken() ?? null) !== null
    return { shard, isHeld, lastSweepAtMs: room?.engine.lastSweepAtMs ?? null }
  })
}

/** Whether `replica`, which works on none of it yet, may try for the lease: nobody has it, or it is its own that it could not give up. */
export function isFree({ heldForMs, lease }: ShardLook, replica: string): boolean {
  return heldForMs === 0 || lease?.owner === replica
}
