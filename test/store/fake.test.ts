import { describe, expect, test } from 'vitest'
import { createMemoryStore } from '../../src/simulate/store.ts'
import { sampleCommit, sampleEvent, sampleFact } from './samples.ts'

describe("the fake store's crash points", () => {
  test('before a commit: nothing is written, and the next try succeeds', async () => {
    const { store, journal, failNext } = createMemoryStore()
    const commit = sampleCommit({ lease: await store.lease('one', 0, 1), revision: 0, events: [sampleEvent('a')] })
    failNext('commit', 'STORE_BUSY')
    await expect(store.commit(commit)).rejects.toMatchObject({ code: 'STORE_BUSY' })
    expect(await journal.lastSeq()).toBe(0)
    await expect(store.commit(commit)).resolves.toMatchObject({ revision: 1 })
  })

  test('after a commit: all is written, and the same commit again is a conflict', async () => {
    const { store, journal, failNext } = createMemoryStore()
    const commit = sampleCommit({ lease: await store.lease('one', 0, 1), revision: 0, events: [sampleEvent('a')] })
    failNext('afterCommit')
    await expect(store.commit(commit)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(await journal.lastSeq()).toBe(1)
    await expect(store.commit(commit)).rejects.toMatchObject({ code: 'STORE_CONFLICT' })
  })

  test('after a put: the fact is there, and the repeated request changes nothing', async () => {
    const { inbox, failNext } = createMemoryStore()
    failNext('afterPut')
    await expect(inbox.put(sampleFact('a'))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' })
    expect(await inbox.put(sampleFact('a'))).toBe(false)
    expect(await inbox.pending(10)).toHaveLength(1)
  })

  test('queue up, each for its own point', async () => {
    const { store, failNext } = createMemoryStore()
    failNext('load')
    failNext('load')
    await expect(store.load()).rejects.toThrow()
    await expect(store.lease('one', 0, 1)).resolves.toMatchObject({ owner: 'one' })
    await expect(store.load()).rejects.toThrow()
    await expect(store.load()).resolves.toMatchObject({ revision: 0 })
  })
})
