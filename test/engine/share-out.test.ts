import fc from 'fast-check'
import { expect, test } from 'vitest'
import { divided, fairShare, inOrderOf } from '../../src/engine/share-out.ts'
import { MAIN_SHARD, type ShardLook } from '../../src/ports/store.ts'

const looks = (names: readonly string[], owner: string | null = null): readonly ShardLook[] =>
  names.map((shard) => ({ shard, revision: 0, lease: owner === null ? null : { owner, token: 1 }, heldForMs: 0 }))

test('the shares of all replicas are enough for all shards, and none could be smaller by two', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 20 }), (shards, replicas) => {
      const names = (count: number) => Array.from({ length: count }, (_, index) => String(index))
      const share = fairShare({ shards: looks(names(shards)), replicas: names(replicas) })
      expect(share * replicas).toBeGreaterThanOrEqual(shards)
      expect((share - 1) * replicas).toBeLessThan(shards)
    }),
  )
})

test('each replica has an order of its own, which stays, and who has the main shard gives it up last', () => {
  const names = [MAIN_SHARD, 'a', 'b', 'c', 'd', 'e']
  const orderOf = (replica: string, owner: string | null = null) =>
    inOrderOf(replica, looks(names, owner)).map(({ shard }) => shard)
  expect(orderOf('one')).toEqual(orderOf('one'))
  expect(new Set(orderOf('one'))).toEqual(new Set(names))
  expect(orderOf('one')).not.toEqual(orderOf('two'))
  for (const replica of ['one', 'two', 'three']) expect(orderOf(replica, replica)[0]).toBe(MAIN_SHARD)
})

test('a household is divided over the shards that its migrations are in, unless that is one', () => {
  const shardOf = new Map(Object.entries({ a: 'main', b: 'b', c: 'b' }))
  const shardsOf = (first: string, ...more: string[]) =>
    divided({ migrations: [first, ...more], workloads: [], scopes: [] }, shardOf)
  expect(shardsOf('b', 'c')).toEqual([])
  expect(shardsOf('new')).toEqual([])
  expect(shardsOf('b', 'new')).toEqual([])
  expect(shardsOf('c', 'a', 'b')).toEqual(['b', 'main'])
})
