import { expect, test } from 'vitest'
import { MAIN_SHARD } from '../../src/ports/store.ts'
import { createMemoryStore } from '../../src/simulate/store.ts'
import { openSqlite } from '../../src/store/sqlite.ts'
import { type StorePlace, storeConformance } from '../conformance/store.ts'
import { shardsConformance } from '../conformance/store-shards.ts'
import { createStorePath } from './place.ts'
import { sampleFact } from './samples.ts'
import { tamperWith } from './tamper.ts'

storeConformance('SQLite', () => {
  const { path, remove } = createStorePath()
  return { connect: () => openSqlite(path), tamper: (edit) => tamperWith(path, edit), remove: async () => remove() }
})

const createFakePlace = (): StorePlace => {
  const memory = createMemoryStore()
  return {
    connect: () => {
      memory.reopen()
      return memory
    },
    tamper: memory.tamper,
    remove: async () => {},
  }
}

storeConformance('the fake', createFakePlace)
shardsConformance('the fake', createFakePlace)

test('a file has the main shard alone, whatever is laid out', async () => {
  const { path, remove } = createStorePath()
  const { store, inbox, shards } = openSqlite(path)
  await inbox.put(sampleFact('a'))
  await shards.join(['a', 'b'].map((migration) => ({ migrations: [migration], workloads: [], scopes: [] })))
  const lease = await store.lease('one', 1_000, 500)
  const main = { shard: MAIN_SHARD, revision: 0, lease, heldForMs: 400 }
  expect(await shards.look('two', 1_100, 500)).toMatchObject({ shards: [main], replicas: ['two'], journalSeq: 0 })
  expect(await shards.of(MAIN_SHARD).inbox.pending(9)).toHaveLength(1)
  await store.close()
  remove()
})
