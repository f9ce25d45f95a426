import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MAIN_SHARD } from '../../src/ports/store.ts'
import { createMemoryStore } from '../../src/simulate/store.ts'

const migration = fc.constantFrom('a', 'b', 'c', 'd', 'e', MAIN_SHARD)
const household = fc.record({
  migrations: fc
    .tuple(migration, fc.uniqueArray(migration, { maxLength: 2 }))
    .map(([first, more]): [string, ...string[]] => [first, ...more.filter((one) => one !== first)]),
  workloads: fc.uniqueArray(fc.constantFrom('1', '2', '3', '4', '5'), { maxLength: 2 }),
  scopes: fc.uniqueArray(fc.constantFrom('1', 'x', 'y', 'z'), { maxLength: 2 }),
})
const configs = fc.array(fc.array(household, { maxLength: 4 }), { maxLength: 6 })

test('whatever configs come in whatever order: households stay within a shard for good, and every shard is there', async () => {
  await fc.assert(
    fc.asyncProperty(configs, async (all) => {
      const { shards } = createMemoryStore()
      let together: (readonly string[])[] = []
      for (const households of all) {
        const { shardOf } = await shards.join(households)
        together = [...together, ...households.map(({ migrations }) => migrations)]
        for (const migrations of together) expect(new Set(migrations.map((one) => shardOf.get(one))).size).toBe(1)
        const names = (await shards.look('one', 0, 1)).shards.map(({ shard }) => shard)
        expect(names[0]).toBe(MAIN_SHARD)
        expect(new Set(names)).toEqual(new Set([MAIN_SHARD, ...shardOf.values()]))
        // The same config again changes nothing, whichever came between.
        const { epoch } = await shards.join([])
        for (const before of all.slice(0, all.indexOf(households) + 1))
          expect((await shards.join(before)).epoch).toBe(epoch)
      }
    }),
  )
})

test('who comes to a scope that a rollout may still write to by an earlier config joins its shard', async () => {
  const { shards } = createMemoryStore()
  const of = (migration: string, workload: string, scope: string) =>
    ({ migrations: [migration], workloads: [workload], scopes: [scope] }) as const
  await shards.join([of('a', '1', 'x'), of('b', '2', 'y')])
  const { shardOf } = await shards.join([of('a', '1', 'z'), of('b', '2', 'y'), of('c', '3', 'x')])
  expect(shardOf.get('c')).toBe(shardOf.get('a'))
  expect(shardOf.get('b')).not.toBe(shardOf.get('a'))
})
