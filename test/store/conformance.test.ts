import { openSqlite } from '../../src/store/sqlite.ts'
import { storeConformance } from '../conformance/store.ts'
import { createMemoryStore } from '../fakes/store.ts'
import { createStorePath } from './place.ts'
import { tamperWith } from './tamper.ts'

storeConformance('SQLite', () => {
  const { path, remove } = createStorePath()
  return { connect: () => openSqlite(path), tamper: (edit) => tamperWith(path, edit), remove: async () => remove() }
})

storeConformance('the fake', () => {
  const memory = createMemoryStore()
  return {
    connect: () => {
      memory.reopen()
      return memory
    },
    tamper: memory.tamper,
    remove: async () => {},
  }
})
